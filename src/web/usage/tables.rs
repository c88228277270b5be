//! Sums in tables. In: totals by project, key, category, outcome and reason. Out: rows by reason, and rows by key.

use std::collections::{BTreeMap, HashMap};

use super::reasons;
use crate::store::accounts::{Project, ProjectKey};
use crate::store::usage::Total;
use crate::web::format::Count;

/// The order of outcomes in both tables.
pub const OUTCOMES: [&str; 9] = [
    "accepted",
    "duplicate",
    "filtered",
    "sampled",
    "rate_limited",
    "invalid",
    "dead",
    "not_kept",
    "client_discard",
];

/// One outcome, category and reason.
pub struct ReasonRow {
    pub outcome: String,
    pub category: String,
    pub reason: String,
    pub quantity: Count,
}

pub fn by_reason(totals: &[Total]) -> Vec<ReasonRow> {
    let mut sums: BTreeMap<(usize, &str, &str, &str), i64> = BTreeMap::new();
    for total in totals {
        let place = OUTCOMES
            .iter()
            .position(|outcome| *outcome == total.outcome)
            .unwrap_or(OUTCOMES.len());
        let key = (
            place,
            total.outcome.as_str(),
            total.category.as_str(),
            total.reason.as_str(),
        );
        *sums.entry(key).or_default() += total.quantity;
    }
    sums.into_iter()
        .map(|((_, outcome, category, reason), quantity)| ReasonRow {
            outcome: reasons::outcome(outcome).to_owned(),
            category: category.to_owned(),
            reason: reasons::explain(reason).0.to_owned(),
            quantity: Count::new(quantity),
        })
        .collect()
}

/// One key and what became of what it sent, of every category.
pub struct KeyRow {
    pub project: String,
    pub key: String,
    pub sums: Vec<Count>,
}

/// What stands over the sums of a [`KeyRow`].
pub const COLUMNS: [&str; 8] = [
    "accepted", "twice", "filtered", "sampled", "limited", "refused", "not kept", "by SDKs",
];

fn column(outcome: &str) -> usize {
    match outcome {
        "accepted" => 0,
        "duplicate" => 1,
        "filtered" => 2,
        "sampled" => 3,
        "rate_limited" => 4,
        "invalid" => 5,
        "client_discard" => 7,
        // Not kept, set aside, and whatever else does not become an event.
        _ => 6,
    }
}

pub fn by_key(
    totals: &[Total],
    projects: &[Project],
    keys: &HashMap<i64, ProjectKey>,
) -> Vec<KeyRow> {
    let mut sums: BTreeMap<(&str, i64), [i64; COLUMNS.len()]> = BTreeMap::new();
    for total in totals {
        let project = projects
            .iter()
            .find(|project| project.id == total.project_id)
            .map_or("", |project| project.slug.as_str());
        let row = sums.entry((project, total.key_id)).or_default();
        row[column(&total.outcome)] += total.quantity;
    }
    sums.into_iter()
        .map(|((project, key_id), sums)| KeyRow {
            project: project.to_owned(),
            key: key_name(key_id, keys),
            sums: sums.into_iter().map(Count::new).collect(),
        })
        .collect()
}

pub fn key_name(key_id: i64, keys: &HashMap<i64, ProjectKey>) -> String {
    match (key_id, keys.get(&key_id)) {
        (_, Some(key)) => key.label.clone(),
        (0, None) => "no key of the project".to_owned(),
        (id, None) => format!("deleted key {id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(key_id: i64, category: &str, outcome: &str, reason: &str, quantity: i64) -> Total {
        Total {
            project_id: 1,
            key_id,
            category: category.to_owned(),
            outcome: outcome.to_owned(),
            reason: reason.to_owned(),
            quantity,
        }
    }

    #[test]
    fn sums_are_by_reason_and_by_key() {
        let totals = [
            total(1, "error", "rate_limited", "key_minute", 2),
            total(1, "error", "accepted", "", 5),
            total(2, "error", "accepted", "", 7),
            total(2, "session", "not_kept", "sessions", 3),
            total(0, "error", "invalid", "unknown_key", 1),
        ];
        let rows = by_reason(&totals);
        let words: Vec<&str> = rows.iter().map(|row| row.outcome.as_str()).collect();
        assert_eq!(words, ["accepted", "rate limited", "refused", "not kept"]);
        assert_eq!(rows[0].quantity.to_string(), "12");
        let rows = by_key(&totals, &[], &HashMap::new());
        let row = |at: usize| {
            rows[at]
                .sums
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(rows[0].key, "no key of the project");
        assert_eq!(row(0), ["0", "0", "0", "0", "0", "1", "0", "0"]);
        assert_eq!(row(1), ["5", "0", "0", "0", "2", "0", "0", "0"]);
        assert_eq!(row(2), ["7", "0", "0", "0", "0", "0", "3", "0"]);
    }
}
