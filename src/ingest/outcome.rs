//! What became of what was sent and is not in the journal. In: one call for each such thing. Out: once a second, a
//! journal record with the counts of each project, so that a crash does not lose them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use serde::Deserialize;

use super::items::{self, ItemKind};
use super::reply::Refused;
use crate::journal::{Draft, Journal, JournalError, RecordKind};
use crate::protocol::event_id::EventId;
use crate::store::now_ms;
use crate::store::usage::OutcomeKey;

/// Counts waiting to be written.
#[derive(Default)]
pub struct Outcomes {
    counts: Mutex<HashMap<OutcomeKey, i64>>,
}

/// The payload of an [`RecordKind::Outcomes`] record.
pub fn decode(payload: &[u8]) -> Option<Vec<(OutcomeKey, i64)>> {
    serde_json::from_slice(payload).ok()
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
    /// An item that is taken and dropped because no feature keeps it yet.
    pub fn not_kept(&self, project_id: i64, key_id: i64, kind: &ItemKind) {
        self.add(project_id, key_id, kind.category, "not_kept", kind.name, 1);
    }

    /// A request or item of a known key that was refused.
    pub fn refused(&self, project_id: i64, key_id: i64, why: &Refused) {
        self.add(project_id, key_id, "error", "invalid", why.reason(), 1);
    }

    /// An item that is too large while the rest of its envelope is kept.
    pub fn too_large(&self, project_id: i64, key_id: i64, kind: &ItemKind) {
        self.add(project_id, key_id, kind.category, "invalid", "too_large", 1);
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
        category: &str,
        outcome: &str,
        reason: &str,
        quantity: i64,
    ) {
        let key = OutcomeKey {
            project_id,
            key_id,
            hour: now_ms() / 3_600_000,
            category: category.to_owned(),
            outcome: outcome.to_owned(),
            reason: reason.to_owned(),
        };
        *self
            .counts
            .lock()
            .expect("no thread panics with this lock")
            .entry(key)
            .or_default() += quantity;
    }

    /// Writes what was counted since the last time; counts that cannot be written are kept for the next.
    pub async fn flush(&self, journal: &Journal) -> Result<(), JournalError> {
        let counts =
            std::mem::take(&mut *self.counts.lock().expect("no thread panics with this lock"));
        let mut by_project = BTreeMap::<i64, Vec<(OutcomeKey, i64)>>::new();
        for (key, quantity) in counts {
            by_project
                .entry(key.project_id)
                .or_default()
                .push((key, quantity));
        }
        let mut result = Ok(());
        for (project_id, counts) in by_project {
            let payload = serde_json::to_vec(&counts).expect("counts are plain fields");
            let draft = Draft {
                kind: RecordKind::Outcomes,
                project_id,
                key_id: 0,
                event_id: EventId::from_bytes([0; 16]),
                sent_at_ms: None,
                remote_addr: None,
                client: "",
                payload: &payload,
            };
            if let Err(error) = journal.append(&draft).await {
                let mut waiting = self.counts.lock().expect("no thread panics with this lock");
                for (key, quantity) in counts {
                    *waiting.entry(key).or_default() += quantity;
                }
                result = Err(error);
            }
        }
        result
    }
}
