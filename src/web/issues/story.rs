//! What happened to an issue, in words. In: activity rows, and the details of a status. Out: sentences.

use serde_json::Value;

use crate::model::issue::{
    ACTIVITY_ESCALATING, ACTIVITY_FIRST_SEEN, ACTIVITY_IGNORED, ACTIVITY_MERGE,
    ACTIVITY_REGRESSION, ACTIVITY_RESOLVED, ACTIVITY_RESOLVED_BY_AGE, ACTIVITY_RESOLVED_IN_RELEASE,
    ACTIVITY_REVIEWED, ACTIVITY_SPLIT_FROM, ACTIVITY_SPLIT_OFF, ACTIVITY_UNIGNORED,
    ACTIVITY_UNRESOLVED, State, Status, Substatus,
};
use crate::store::issue_detail::ActivityRow;
use crate::store::issue_details::Details;
use crate::web::format::{When, plural, strftime};

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
    let text = |key: &str| {
        data.get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let number = |key: &str| data.get(key).and_then(Value::as_i64).unwrap_or_default();
    let within = text("release")
        .map(|release| format!("in {release}"))
        .unwrap_or_default();
    let user = || {
        row.user_name
            .clone()
            .unwrap_or_else(|| "Somebody".to_owned())
    };
    let (who, what) = match row.kind.as_str() {
        ACTIVITY_FIRST_SEEN => ("First seen".to_owned(), within),
        ACTIVITY_REGRESSION => ("Came back".to_owned(), within),
        ACTIVITY_RESOLVED => (user(), "resolved it".to_owned()),
        ACTIVITY_RESOLVED_IN_RELEASE => {
            let version = text("version").unwrap_or("a release");
            let next = data.get("inNextRelease") == Some(&Value::Bool(true));
            (user(), format!("resolved it in {}", release(version, next)))
        }
        ACTIVITY_IGNORED => (user(), format!("ignored it {}", until(&data))),
        ACTIVITY_UNRESOLVED => (user(), "reopened it".to_owned()),
        ACTIVITY_REVIEWED => (user(), "reviewed it".to_owned()),
        ACTIVITY_UNIGNORED => {
            let why = match text("reason") {
                Some("events") => "enough events came",
                Some("users") => "enough users had it",
                _ => "the time is over",
            };
            let what = format!("as {why} {within}");
            ("No longer ignored".to_owned(), what.trim_end().to_owned())
        }
        ACTIVITY_ESCALATING => {
            let (events, limit) = (number("events"), number("limit"));
            let what = format!("with {events} events in an hour, where up to {limit} are usual");
            ("Escalates".to_owned(), what)
        }
        ACTIVITY_RESOLVED_BY_AGE => {
            let hours = plural(number("age"), "hour", "hours");
            (
                "Resolved by age".to_owned(),
                format!("as it was not seen for {hours}"),
            )
        }
        ACTIVITY_MERGE => (user(), merged(&data)),
        ACTIVITY_SPLIT_OFF => {
            let (what, into) = (fingerprints(&data), short_id(&data["destination"]));
            (user(), format!("split {what} off into {into}"))
        }
        ACTIVITY_SPLIT_FROM => {
            let (what, from) = (fingerprints(&data), short_id(&data["source"]));
            (user(), format!("split {what} off {from}"))
        }
        _ => return None,
    };
    // It happened to an issue that was merged into this one.
    let of = text("mergedFrom")
        .map(|name| format!(" ({name})"))
        .unwrap_or_default();
    Some(Happening {
        who,
        what: what + of.as_str(),
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

fn release(version: &str, next: bool) -> String {
    if next {
        format!("the release after {version}")
    } else {
        version.to_owned()
    }
}

/// Until when something is ignored, from the data of an activity row.
fn until(data: &Value) -> String {
    let number = |key: &str| data.get(key).and_then(Value::as_i64);
    match data.get("substatus").and_then(Value::as_str) {
        Some("archived_until_escalating") => return "until it escalates".to_owned(),
        Some("archived_until_condition_met") => {}
        // Before there were others, everything was ignored for good.
        _ => return "for good".to_owned(),
    }
    let mut conditions = Vec::new();
    if let Some(time) = number("ignoreUntil") {
        conditions.push(strftime(time, "%-d %B %Y, %H:%M UTC"));
    }
    for (count, window, one, many) in [
        ("ignoreCount", "ignoreWindow", "more event", "more events"),
        (
            "ignoreUserCount",
            "ignoreUserWindow",
            "more user",
            "more users",
        ),
    ] {
        if let Some(count) = number(count) {
            let within = number(window)
                .map(|minutes| format!(" within {}", span(minutes)))
                .unwrap_or_default();
            conditions.push(format!("{}{within}", plural(count, one, many)));
        }
    }
    format!("until {}", conditions.join(" or "))
}

fn span(minutes: i64) -> String {
    match minutes {
        minutes if minutes % 1_440 == 0 => plural(minutes / 1_440, "day", "days"),
        minutes if minutes % 60 == 0 => plural(minutes / 60, "hour", "hours"),
        minutes => plural(minutes, "minute", "minutes"),
    }
}

/// What a status means that is not simply so: `Resolved in the release after 1.4.2`.
pub fn status_note(state: State, details: Option<&Details>) -> Option<String> {
    match state.status {
        Status::Unresolved => None,
        Status::Resolved => {
            let details = details?;
            let version = details.in_release.as_deref()?;
            let release = release(version, details.in_next_release);
            Some(format!("Resolved in {release}"))
        }
        Status::Ignored => {
            let mut data = serde_json::json!({"substatus": state.substatus.as_str()});
            if let Some(details) = details {
                for (key, value) in [
                    ("ignoreUntil", details.ignore_until),
                    ("ignoreCount", details.ignore_count),
                    ("ignoreWindow", details.ignore_window),
                    ("ignoreUserCount", details.ignore_user_count),
                    ("ignoreUserWindow", details.ignore_user_window),
                ] {
                    data[key] = value.into();
                }
            }
            let is_known = state.substatus != Substatus::UntilConditionMet || details.is_some();
            is_known.then(|| format!("Ignored {}", until(&data)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activity_reads_as_sentences() {
        let row = |kind: &str, data: &str, user: Option<&str>| ActivityRow {
            kind: kind.to_owned(),
            data: data.to_owned(),
            created_at: 0,
            user_name: user.map(str::to_owned),
        };
        let jana = Some("Jana");
        let rows = [
            row("set_resolved", "{}", jana),
            row("odd", "", None),
            row("first_seen", r#"{"release":"shop@1"}"#, None),
            row(
                "set_resolved_in_release",
                r#"{"version":"shop@1","inNextRelease":true}"#,
                jana,
            ),
            row("set_ignored", "{}", jana),
            row(
                "set_ignored",
                r#"{"substatus":"archived_until_condition_met","ignoreUntil":0,"ignoreCount":10,"ignoreWindow":60}"#,
                jana,
            ),
            row(
                "unignored",
                r#"{"reason":"users","release":"shop@2"}"#,
                None,
            ),
            row("set_escalating", r#"{"events":500,"limit":90}"#, None),
            row("set_resolved_by_age", r#"{"age":48}"#, None),
            row(
                "merge",
                r#"{"issues":[{"id":"2","shortId":"SHOP-2"},{"id":"3","shortId":"SHOP-3"}],"mergedFrom":"SHOP-9"}"#,
                jana,
            ),
            row(
                "unmerge_source",
                r#"{"fingerprints":["aa"],"destination":{"shortId":"SHOP-4"}}"#,
                jana,
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
                "First seen in shop@1",
                "Jana resolved it in the release after shop@1",
                "Jana ignored it for good",
                "Jana ignored it until 1 January 1970, 00:00 UTC or 10 more events within 1 hour",
                "No longer ignored as enough users had it in shop@2",
                "Escalates with 500 events in an hour, where up to 90 are usual",
                "Resolved by age as it was not seen for 48 hours",
                "Jana merged SHOP-2, SHOP-3 into it (SHOP-9)",
                "Jana split 1 fingerprint off into SHOP-4",
                "Somebody split 2 fingerprints off SHOP-1",
            ]
        );
    }

    #[test]
    fn a_status_says_what_it_waits_for() {
        let note = |state, details: &Details| status_note(state, Some(details));
        let release = Details {
            in_release: Some("shop@1".to_owned()),
            ..Details::default()
        };
        assert_eq!(
            note(State::RESOLVED, &release).as_deref(),
            Some("Resolved in shop@1")
        );
        assert_eq!(status_note(State::RESOLVED, None), None);
        let users = Details {
            ignore_user_count: Some(1),
            ..Details::default()
        };
        let waiting = State::ignored(Substatus::UntilConditionMet);
        assert_eq!(
            note(waiting, &users).as_deref(),
            Some("Ignored until 1 more user")
        );
        let escalating = State::ignored(Substatus::UntilEscalating);
        assert_eq!(
            status_note(escalating, None).as_deref(),
            Some("Ignored until it escalates")
        );
    }
}
