//! Why events share an issue. In: what grouping left in the event. Out: a sentence and what counted.

use serde_json::Value;

use super::value::{Pair, list, show, text};

/// What made the fingerprint.
#[derive(Debug, Clone)]
pub struct Why {
    pub sentence: String,
    pub parts: Vec<Pair>,
}

/// Reads the explanation; none for events from before there was one.
pub fn why(event: &Value) -> Option<Why> {
    let grouping = event
        .get("grouping")
        .filter(|grouping| grouping.is_object())?;
    let strategy = text(grouping, "strategy").unwrap_or_default();
    let sentence = text(grouping, "explanation").unwrap_or_else(|| sentence(&strategy));
    let parts = list(grouping, "components")
        .iter()
        .filter_map(|part| {
            Some(Pair {
                key: text(part, "name").or_else(|| text(part, "kind"))?,
                value: show(part.get("value")?),
            })
        })
        .collect();
    Some(Why { sentence, parts })
}

fn sentence(strategy: &str) -> String {
    format!("Grouped by {}.", strategy.replace('_', " "))
}
