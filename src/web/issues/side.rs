//! Tags beside an event. In: their counts. Out: shares.

use crate::store::issue_detail::TagRow;
use crate::web::chart::Shares;
use crate::web::format::Count;

/// A tag with its most frequent values.
#[derive(Debug, Clone)]
pub struct Tag {
    pub key: String,
    pub top: String,
    pub share: String,
    pub shares: Shares,
    pub values: Vec<TagValue>,
}

/// One value of a tag.
#[derive(Debug, Clone)]
pub struct TagValue {
    pub value: String,
    pub share: String,
    pub events: Count,
}

/// Tags that answer most questions stand first; the rest follows by name.
const FIRST: [&str; 8] = [
    "release",
    "environment",
    "browser",
    "os",
    "runtime",
    "server_name",
    "transaction",
    "url",
];

/// Groups rows, which come by key and size, into tags with shares of all events.
pub fn tags(rows: &[TagRow], events: i64) -> Vec<Tag> {
    let mut found: Vec<Tag> = rows
        .chunk_by(|one, other| one.tag_key == other.tag_key)
        .map(|rows| tag(rows, events))
        .collect();
    found.sort_by_key(|tag| {
        FIRST
            .iter()
            .position(|key| *key == tag.key)
            .unwrap_or(FIRST.len())
    });
    found
}

fn tag(rows: &[TagRow], events: i64) -> Tag {
    let counts: Vec<i64> = rows.iter().map(|row| row.events).collect();
    let total = events.max(counts.iter().sum()).max(1);
    let percent = |count: i64| {
        let share = count * 100 / total;
        if share == 0 {
            "<1 %".to_owned()
        } else {
            format!("{share} %")
        }
    };
    Tag {
        key: rows[0].tag_key.clone(),
        top: rows[0].tag_value.clone(),
        share: percent(rows[0].events),
        shares: Shares::new(&counts, total),
        values: rows
            .iter()
            .map(|row| TagValue {
                value: row.tag_value.clone(),
                share: percent(row.events),
                events: Count::new(row.events),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: &str, value: &str, events: i64) -> TagRow {
        TagRow {
            tag_key: key.to_owned(),
            tag_value: value.to_owned(),
            events,
        }
    }

    #[test]
    fn tags_have_shares_of_all_events() {
        let tags = tags(
            &[
                row("beta", "true", 1),
                row("release", "1.4.2", 142),
                row("release", "1.4.1", 20),
            ],
            200,
        );
        assert_eq!(
            (
                tags[0].key.as_str(),
                tags[0].share.as_str(),
                tags[0].values.len()
            ),
            ("release", "71 %", 2)
        );
        assert_eq!(
            (tags[1].key.as_str(), tags[1].share.as_str()),
            ("beta", "<1 %")
        );
    }
}
