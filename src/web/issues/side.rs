//! The column beside an event. In: tag counts and activity rows. Out: shares and sentences.

use serde_json::Value;

use crate::model::issue::{
    ACTIVITY_FIRST_SEEN, ACTIVITY_MERGE, ACTIVITY_REGRESSION, ACTIVITY_SPLIT_FROM,
    ACTIVITY_SPLIT_OFF, Status, activity_kind,
};
use crate::store::issue_detail::{ActivityRow, TagRow};
use crate::web::chart::Shares;
use crate::web::format::{Count, When, plural};

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

/// Something that happened, as a sentence without its time.
#[derive(Debug, Clone)]
pub struct Happening {
    pub who: String,
    pub what: String,
    pub when: When,
}

/// Reads activity rows; kinds of later releases are left out.
pub fn activity(rows: &[ActivityRow], now: i64) -> Vec<Happening> {
    rows.iter().filter_map(|row| happening(row, now)).collect()
}

fn happening(row: &ActivityRow, now: i64) -> Option<Happening> {
    let data: Value = serde_json::from_str(&row.data).unwrap_or(Value::Null);
    let release = data
        .get("release")
        .and_then(Value::as_str)
        .filter(|release| !release.is_empty());
    let within = release
        .map(|release| format!("in {release}"))
        .unwrap_or_default();
    let user = || {
        row.user_name
            .clone()
            .unwrap_or_else(|| "Somebody".to_owned())
    };
    let kind = row.kind.as_str();
    let (who, what) = match kind {
        ACTIVITY_FIRST_SEEN => ("First seen".to_owned(), within),
        ACTIVITY_REGRESSION => ("Came back".to_owned(), within),
        ACTIVITY_MERGE => (user(), merged(&data)),
        ACTIVITY_SPLIT_OFF => (
            user(),
            format!(
                "split {} off into {}",
                fingerprints(&data),
                short_id(&data["destination"])
            ),
        ),
        ACTIVITY_SPLIT_FROM => (
            user(),
            format!(
                "split {} off {}",
                fingerprints(&data),
                short_id(&data["source"])
            ),
        ),
        _ if kind == activity_kind(Status::Resolved) => (user(), "resolved it".to_owned()),
        _ if kind == activity_kind(Status::Ignored) => (user(), "ignored it".to_owned()),
        _ if kind == activity_kind(Status::Unresolved) => (user(), "reopened it".to_owned()),
        _ => return None,
    };
    // It happened to an issue that was merged into this one.
    let of = data["mergedFrom"].as_str();
    let of = of.map(|name| format!(" ({name})")).unwrap_or_default();
    Some(Happening {
        who,
        what: what + &of,
        when: When::ago(row.created_at, now),
    })
}

/// Merged issues that are named; the rest are a number.
const NAMED: usize = 5;

fn merged(data: &Value) -> String {
    let issues = data["issues"].as_array().map_or(&[][..], Vec::as_slice);
    let mut names: Vec<String> = issues.iter().take(NAMED).map(short_id).collect();
    if issues.len() > NAMED {
        names.push(format!("{} more", issues.len() - NAMED));
    }
    format!("merged {} into it", names.join(", "))
}

fn short_id(issue: &Value) -> String {
    issue["shortId"].as_str().unwrap_or("an issue").to_owned()
}

fn fingerprints(data: &Value) -> String {
    let number = data["fingerprints"].as_array().map_or(1, Vec::len);
    plural(number as i64, "fingerprint", "fingerprints")
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

    #[test]
    fn activity_reads_as_sentences() {
        let row = |kind: &str, data: &str, user: Option<&str>| ActivityRow {
            kind: kind.to_owned(),
            data: data.to_owned(),
            created_at: 0,
            user_name: user.map(str::to_owned),
        };
        let rows = [
            row("set_resolved", "{}", Some("Jana")),
            row("odd", "", None),
            row(
                "first_seen",
                r#"{"release":"shop@1","mergedFrom":"SHOP-2"}"#,
                None,
            ),
            row(
                "merge",
                r#"{"issues":[{"id":"2","shortId":"SHOP-2"},{"id":"3","shortId":"SHOP-3"}]}"#,
                Some("Jana"),
            ),
            row(
                "unmerge_source",
                r#"{"fingerprints":["aa"],"destination":{"shortId":"SHOP-4"}}"#,
                Some("Jana"),
            ),
            row(
                "unmerge_destination",
                r#"{"fingerprints":["aa","bb"],"source":{"shortId":"SHOP-1"}}"#,
                None,
            ),
        ];
        let lines: Vec<String> = activity(&rows, 0)
            .into_iter()
            .map(|line| format!("{} {}", line.who, line.what))
            .collect();
        assert_eq!(
            lines,
            [
                "Jana resolved it",
                "First seen in shop@1 (SHOP-2)",
                "Jana merged SHOP-2, SHOP-3 into it",
                "Jana split 1 fingerprint off into SHOP-4",
                "Somebody split 2 fingerprints off SHOP-1",
            ]
        );
    }
}
