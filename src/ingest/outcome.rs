//! What became of what was sent and is not in the journal. In: one call for each such thing. Out: once a second, a
//! journal record with the counts of each project, so that a crash does not lose them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::items::{self, ItemKind};
use super::reply::Refused;
use crate::journal::{Draft, Journal, JournalError, RecordKind};
use crate::model::names::fit;
use crate::protocol::event_id::EventId;
use crate::store::now_ms;
use crate::store::usage::{Count, LastRefusal, OutcomeKey};

/// What a count is of. All texts are ours: nothing that a sender makes up becomes a key, so memory is bounded by the
/// numbers of projects and keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Slot {
    project_id: i64,
    /// 0 where no key of the project was named.
    key_id: i64,
    /// Hours since 1970.
    hour: i64,
    category: &'static str,
    outcome: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, Default)]
struct Tally {
    quantity: i64,
    last: Option<LastRefusal>,
}

/// Counts waiting to be written.
#[derive(Default)]
pub struct Outcomes {
    counts: Mutex<HashMap<Slot, Tally>>,
}

const HOUR_MS: i64 = 3_600_000;
/// Longest sentence and name that are remembered of a refusal.
const DETAIL: usize = 200;
const SDK: usize = 64;

/// A count in a record. Releases that know nothing of refusals read the same list and leave `last` out.
#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    key: OutcomeKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<LastRefusal>,
}

/// Reads the payload of an [`RecordKind::Outcomes`] record.
pub fn decode(payload: &[u8]) -> Option<Vec<Count>> {
    let entries: Vec<(Entry, i64)> = serde_json::from_slice(payload).ok()?;
    let counts = entries.into_iter().map(|(entry, quantity)| Count {
        key: entry.key,
        quantity,
        last: entry.last,
    });
    Some(counts.collect())
}

fn encode(counts: &[(Slot, Tally)]) -> Vec<u8> {
    let entries: Vec<(Entry, i64)> = counts
        .iter()
        .map(|(slot, tally)| {
            let key = OutcomeKey {
                project_id: slot.project_id,
                key_id: slot.key_id,
                hour: slot.hour,
                category: slot.category.to_owned(),
                outcome: slot.outcome.to_owned(),
                reason: slot.reason.to_owned(),
            };
            let last = tally.last.clone();
            (Entry { key, last }, tally.quantity)
        })
        .collect();
    serde_json::to_vec(&entries).expect("counts are plain fields")
}

/// Reasons that SDKs give for dropping; anything else is counted as one.
const CLIENT_REASONS: &[&str] = &[
    "queue_overflow",
    "cache_overflow",
    "ratelimit_backoff",
    "network_error",
    "sample_rate",
    "before_send",
    "event_processor",
    "send_error",
    "internal_sdk_error",
    "insufficient_data",
    "backpressure",
    "buffer_overflow",
    "ignored",
    "invalid",
    "no_data",
    "too_big",
];

#[derive(Deserialize)]
struct ClientReport {
    #[serde(default)]
    discarded_events: Vec<Discarded>,
}

#[derive(Deserialize)]
struct Discarded {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    quantity: u32,
}

impl Outcomes {
    /// Items that are taken and dropped because no feature keeps them.
    pub fn not_kept(&self, project_id: i64, key_id: i64, kind: &ItemKind, count: usize) {
        let (category, name) = (kind.category, kind.name);
        self.add(project_id, key_id, category, "not_kept", name, count as i64);
    }

    /// A request or item that was refused, of a key or, with 0, of nobody's.
    pub fn refused(&self, project_id: i64, key_id: i64, sdk: &str, why: &Refused) {
        self.refused_items(project_id, key_id, sdk, "error", why);
    }

    /// The same for what does not count as errors.
    pub fn refused_items(
        &self,
        project_id: i64,
        key_id: i64,
        sdk: &str,
        category: &'static str,
        why: &Refused,
    ) {
        self.note(project_id, key_id, sdk, category, why, || why.to_string());
    }

    /// A request for a project with a key that nobody has.
    pub fn unknown_key(&self, project_id: i64, sdk: &str, why: &Refused, key_start: &str) {
        self.note(project_id, 0, sdk, "error", why, || {
            format!("{why}; the key begins with {key_start}")
        });
    }

    /// Counts a refusal. Its sentence is made once a second, so that a flood costs an addition.
    fn note(
        &self,
        project_id: i64,
        key_id: i64,
        sdk: &str,
        category: &'static str,
        why: &Refused,
        detail: impl FnOnce() -> String,
    ) {
        let now = now_ms();
        let slot = Slot {
            project_id,
            key_id,
            hour: now / HOUR_MS,
            category,
            outcome: why.outcome(),
            reason: why.reason(),
        };
        let mut counts = self.counts.lock().expect("no thread panics with this lock");
        let tally = counts.entry(slot).or_default();
        tally.quantity += 1;
        match &mut tally.last {
            Some(last) => last.at_ms = now,
            last => {
                *last = Some(LastRefusal {
                    at_ms: now,
                    detail: fit(&detail(), DETAIL).to_owned(),
                    sdk: fit(sdk, SDK).to_owned(),
                });
            }
        }
    }

    /// Items that are too large or too many while the rest of the request is kept.
    pub fn too_large(&self, project_id: i64, key_id: i64, kind: &ItemKind, count: usize) {
        let category = kind.category;
        self.add(
            project_id,
            key_id,
            category,
            "invalid",
            "too_large",
            count as i64,
        );
    }

    /// An item that can be nothing, for this reason.
    pub fn invalid(&self, project_id: i64, key_id: i64, kind: &ItemKind, reason: &'static str) {
        self.add(project_id, key_id, kind.category, "invalid", reason, 1);
    }

    /// Items that went with their event, which a limit left no room for.
    pub fn without_event(&self, project_id: i64, key_id: i64, kind: &ItemKind, count: usize) {
        let category = kind.category;
        self.add(
            project_id,
            key_id,
            category,
            "rate_limited",
            "rate_limit",
            count as i64,
        );
    }

    /// What an SDK dropped by its own account. An unreadable report is counted as such and does no harm.
    pub fn client_report(&self, project_id: i64, key_id: i64, payload: &[u8]) {
        let Ok(report) = serde_json::from_slice::<ClientReport>(payload) else {
            self.add(project_id, key_id, "internal", "invalid", "malformed", 1);
            return;
        };
        for discarded in report.discarded_events.iter().take(100) {
            let category = items::known_category(&discarded.category).unwrap_or("default");
            let reason = CLIENT_REASONS
                .iter()
                .find(|reason| **reason == discarded.reason)
                .unwrap_or(&"other");
            self.add(
                project_id,
                key_id,
                category,
                "client_discard",
                reason,
                i64::from(discarded.quantity),
            );
        }
    }

    fn add(
        &self,
        project_id: i64,
        key_id: i64,
        category: &'static str,
        outcome: &'static str,
        reason: &'static str,
        quantity: i64,
    ) {
        if quantity == 0 {
            return;
        }
        let slot = Slot {
            project_id,
            key_id,
            hour: now_ms() / HOUR_MS,
            category,
            outcome,
            reason,
        };
        let mut counts = self.counts.lock().expect("no thread panics with this lock");
        counts.entry(slot).or_default().quantity += quantity;
    }

    /// Writes what was counted since the last time; counts that cannot be written are kept for the next.
    pub async fn flush(&self, journal: &Journal) -> Result<(), JournalError> {
        let counts =
            std::mem::take(&mut *self.counts.lock().expect("no thread panics with this lock"));
        let mut by_project = BTreeMap::<i64, Vec<(Slot, Tally)>>::new();
        for (slot, tally) in counts {
            by_project
                .entry(slot.project_id)
                .or_default()
                .push((slot, tally));
        }
        let mut result = Ok(());
        for (project_id, counts) in by_project {
            let payload = encode(&counts);
            let draft = Draft {
                kind: RecordKind::Outcomes,
                project_id,
                key_id: 0,
                event_id: EventId::from_bytes([0; 16]),
                sent_at_ms: None,
                remote_addr: None,
                client: "",
                head: &[],
                payload: &payload,
            };
            if let Err(error) = journal.append(&draft).await {
                let mut waiting = self.counts.lock().expect("no thread panics with this lock");
                for (slot, tally) in counts {
                    let known = waiting.entry(slot).or_default();
                    known.quantity += tally.quantity;
                    known.last = known.last.take().or(tally.last);
                }
                result = Err(error);
            }
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_the_release_before_are_read() {
        let old = br#"[[{"project_id":1,"key_id":2,"hour":3,"category":"error","outcome":"invalid","reason":"malformed"},4]]"#;
        let counts = decode(old).expect("counts");
        assert_eq!((counts[0].quantity, &counts[0].last), (4, &None));
        assert_eq!(counts[0].key.reason, "malformed");
    }

    #[test]
    fn the_release_before_reads_our_records() {
        let outcomes = Outcomes::default();
        outcomes.refused(1, 2, "sentry.python/2", &Refused::DisabledKey);
        let counts: Vec<(Slot, Tally)> = outcomes.counts.lock().expect("a lock").drain().collect();
        let bytes = encode(&counts);
        let old: Vec<(OutcomeKey, i64)> = serde_json::from_slice(&bytes).expect("a list");
        assert_eq!((old[0].0.reason.as_str(), old[0].1), ("disabled_key", 1));
        let new = decode(&bytes).expect("counts");
        let last = new[0].last.as_ref().expect("a refusal");
        assert_eq!(last.sdk, "sentry.python/2");
        assert!(last.detail.contains("switched off"), "{}", last.detail);
    }

    #[test]
    fn a_flood_takes_one_place() {
        let outcomes = Outcomes::default();
        for number in 0..1000 {
            outcomes.unknown_key(1, &"x".repeat(number), &Refused::UnknownKey, "0123abcd");
        }
        let counts = outcomes.counts.lock().expect("a lock");
        // Two, should an hour begin in between.
        assert!(counts.len() <= 2);
        assert_eq!(
            counts.values().map(|tally| tally.quantity).sum::<i64>(),
            1000
        );
    }
}
