//! What a change of an issue asks for. In: a JSON body, in the words of Sentry's API. Out: a choice, or a sentence that says
//! why there is none.

use serde_json::{Value, json};

use crate::api::error::ApiError;
use crate::api::format;
use crate::model::issue::{Status, Substatus};
use crate::model::lifecycle::{Choice, Conditions, Fix, Threshold, Until};
use crate::model::search_value::moment;
use crate::store::issue_details::Details;

/// What can be set of an issue, but not here yet. Answering "done" would be a lie.
const NOT_SETTABLE: &[&str] = &[
    "assignedTo",
    "priority",
    "hasSeen",
    "isBookmarked",
    "isSubscribed",
    "isPublic",
    "discard",
];

const MINUTE_MS: i64 = 60_000;
const LONGEST_RELEASE: usize = 200;

type Asked<T> = Result<T, ApiError>;

fn invalid<T>(text: impl Into<String>) -> Asked<T> {
    Err(ApiError::Invalid(text.into()))
}

/// Whether a value asks for anything: clients send null, false and 0 for what they leave alone.
fn says(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Object(map) => !map.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => true,
    }
}

/// The choice that a body makes.
pub fn choice(body: &Value, now: i64) -> Asked<Choice> {
    if !body.is_object() {
        return invalid("the body is a JSON object, such as {\"status\": \"resolved\"}");
    }
    if let Some(name) = NOT_SETTABLE.iter().find(|name| says(&body[**name])) {
        return invalid(format!("{name} cannot be set; only the status can"));
    }
    if says(&body["merge"]) {
        return invalid("merge needs several issues: PUT …/issues/?id=1&id=2");
    }
    let details = Keys { body };
    details.check()?;
    let substatus = substatus(body)?;
    let word = match &body["status"] {
        Value::String(word) => word.as_str(),
        Value::Null if body["inbox"] == json!(false) || substatus.is_some() => "",
        _ => return invalid("status is missing"),
    };
    let (status, fix) = match word {
        "" => (None, Fix::Now),
        "resolvedInNextRelease" => (Some(Status::Resolved), Fix::InNextRelease),
        word => match Status::parse(word) {
            Some(status) => (Some(status), details.fix()?),
            None => {
                return invalid(format!(
                    "status cannot be '{word}'; use resolved, resolvedInNextRelease, unresolved or ignored"
                ));
            }
        },
    };
    let conditions = details.conditions(now)?;
    let misfit = |what: &str| invalid(format!("{what} does not go with '{word}'"));
    if fix != Fix::Now && status != Some(Status::Resolved) {
        return misfit("a release");
    }
    if !conditions.is_empty() && status != Some(Status::Ignored) {
        return misfit("a condition of ignoring");
    }
    match (status, substatus) {
        (Some(Status::Resolved), None) => Ok(Choice::Resolve(fix)),
        (Some(Status::Unresolved), None) if body["inbox"] != json!(false) => Ok(Choice::Reopen),
        // It opens what is closed, and reviews what is open; see `set_status`.
        (None | Some(Status::Unresolved), None | Some(Substatus::Ongoing)) => Ok(Choice::Review),
        (Some(Status::Ignored) | None, Some(Substatus::Forever)) if conditions.is_empty() => {
            Ok(Choice::Ignore(Until::Forever))
        }
        (None, Some(Substatus::UntilEscalating))
        | (Some(Status::Ignored), None | Some(Substatus::UntilEscalating))
            if conditions.is_empty() =>
        {
            Ok(Choice::Ignore(Until::Escalating))
        }
        (Some(Status::Ignored), None | Some(Substatus::UntilConditionMet))
            if !conditions.is_empty() =>
        {
            match conditions.problem(now) {
                Some(problem) => invalid(problem),
                None => Ok(Choice::Ignore(Until::Met(conditions))),
            }
        }
        _ => invalid(format!(
            "substatus {} does not go with '{word}'",
            body["substatus"]
        )),
    }
}

fn substatus(body: &Value) -> Asked<Option<Substatus>> {
    match &body["substatus"] {
        Value::Null => Ok(None),
        Value::String(word) => match Substatus::parse(word) {
            Some(substatus) => Ok(Some(substatus)),
            None => invalid(format!("'{word}' is no substatus")),
        },
        other => invalid(format!("substatus cannot be {other}")),
    }
}

/// The keys of `statusDetails`, which some clients send beside `status` instead.
struct Keys<'a> {
    body: &'a Value,
}

const KEYS: &[&str] = &[
    "inRelease",
    "inNextRelease",
    "ignoreDuration",
    "snoozeDuration",
    "ignoreUntil",
    "ignoreCount",
    "ignoreWindow",
    "ignoreUserCount",
    "ignoreUserWindow",
    // Given back with an issue, and not to be set.
    "actor",
];

impl Keys<'_> {
    fn get(&self, key: &str) -> Option<&Value> {
        let inner = &self.body["statusDetails"][key];
        [inner, &self.body[key]]
            .into_iter()
            .find(|value| says(value))
    }

    fn check(&self) -> Asked<()> {
        match &self.body["statusDetails"] {
            Value::Null => Ok(()),
            Value::Object(map) => match map
                .iter()
                .find(|(key, value)| says(value) && !KEYS.contains(&key.as_str()))
            {
                Some((key, _)) => invalid(format!("statusDetails cannot have {key}")),
                None => Ok(()),
            },
            _ => invalid("statusDetails is an object"),
        }
    }

    fn fix(&self) -> Asked<Fix> {
        match (self.get("inRelease"), self.get("inNextRelease")) {
            (None, None) => Ok(Fix::Now),
            (None, Some(Value::Bool(true))) => Ok(Fix::InNextRelease),
            (Some(Value::String(version)), None) if version == "latest" => Ok(Fix::InLatestRelease),
            (Some(Value::String(version)), None) => match version.trim() {
                "" => invalid("inRelease is empty"),
                version if version.len() > LONGEST_RELEASE => {
                    invalid(format!("a release has at most {LONGEST_RELEASE} bytes"))
                }
                version => Ok(Fix::InRelease(version.to_owned())),
            },
            (Some(_), Some(_)) => invalid("inRelease and inNextRelease exclude each other"),
            _ => invalid("inRelease is a text, inNextRelease is true"),
        }
    }

    fn number(&self, key: &str) -> Asked<Option<i64>> {
        let number = match self.get(key) {
            None => return Ok(None),
            // Forms of scripts send numbers as texts.
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(value) => value.as_i64(),
        };
        match number {
            Some(number) if number > 0 => Ok(Some(number)),
            _ => invalid(format!("{key} is a whole number above 0")),
        }
    }

    fn threshold(&self, count: &str, window: &str) -> Asked<Option<Threshold>> {
        match (self.number(count)?, self.number(window)?) {
            (None, None) => Ok(None),
            (None, Some(_)) => invalid(format!("{window} needs {count}")),
            (Some(count), window_minutes) => Ok(Some(Threshold {
                count,
                window_minutes,
            })),
        }
    }

    fn conditions(&self, now: i64) -> Asked<Conditions> {
        let minutes = match self.number("ignoreDuration")? {
            Some(minutes) => Some(minutes),
            None => self.number("snoozeDuration")?,
        };
        let time_ms = match (minutes, self.get("ignoreUntil")) {
            (Some(minutes), None) => Some(now.saturating_add(minutes.saturating_mul(MINUTE_MS))),
            (None, Some(Value::String(text))) => match moment(text) {
                Some(time) => Some(time),
                None => return invalid(format!("ignoreUntil '{text}' is not a time")),
            },
            (None, None) => None,
            (Some(_), Some(_)) => {
                return invalid("ignoreDuration and ignoreUntil exclude each other");
            }
            (None, Some(other)) => return invalid(format!("ignoreUntil cannot be {other}")),
        };
        Ok(Conditions {
            time_ms,
            events: self.threshold("ignoreCount", "ignoreWindow")?,
            users: self.threshold("ignoreUserCount", "ignoreUserWindow")?,
        })
    }
}

/// The details of an issue, in the words in which they can be set.
pub fn status_details(details: Option<&Details>) -> Value {
    let mut answer = json!({});
    let Some(details) = details else {
        return answer;
    };
    match &details.in_release {
        Some(_) if details.in_next_release => answer["inNextRelease"] = json!(true),
        Some(version) => answer["inRelease"] = json!(version),
        None => {}
    }
    if let Some(until) = details.ignore_until {
        answer["ignoreUntil"] = format::time(until).into();
    }
    for (key, value) in [
        ("ignoreCount", details.ignore_count),
        ("ignoreWindow", details.ignore_window),
        ("ignoreUserCount", details.ignore_user_count),
        ("ignoreUserWindow", details.ignore_user_window),
    ] {
        if let Some(value) = value {
            answer[key] = json!(value);
        }
    }
    answer
}

/// The details as a body asked for them.
pub fn asked_details(choice: &Choice) -> Value {
    match choice {
        Choice::Resolve(Fix::InRelease(version)) => json!({"inRelease": version}),
        Choice::Resolve(Fix::InLatestRelease) => json!({"inRelease": "latest"}),
        Choice::Resolve(Fix::InNextRelease) => json!({"inNextRelease": true}),
        Choice::Ignore(Until::Met(conditions)) => {
            status_details(Some(&Details::ignoring(conditions, 0, 0)))
        }
        _ => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_767_225_600_000;

    fn met(conditions: Conditions) -> Choice {
        Choice::Ignore(Until::Met(conditions))
    }

    #[test]
    fn bodies_make_choices() {
        let until = |time_ms| {
            met(Conditions {
                time_ms: Some(time_ms),
                ..Conditions::default()
            })
        };
        let threshold = |count, window_minutes| {
            Some(Threshold {
                count,
                window_minutes,
            })
        };
        let cases = [
            (
                json!({"status": "resolved", "snoozeDuration": null}),
                Choice::Resolve(Fix::Now),
            ),
            (
                json!({"status": "resolvedInNextRelease", "snoozeDuration": null}),
                Choice::Resolve(Fix::InNextRelease),
            ),
            (
                json!({"status": "resolved", "statusDetails": {"inNextRelease": true}}),
                Choice::Resolve(Fix::InNextRelease),
            ),
            (
                json!({"status": "resolved", "statusDetails": {"inRelease": "latest"}}),
                Choice::Resolve(Fix::InLatestRelease),
            ),
            (
                json!({"status": "resolved", "statusDetails": {"inRelease": "shop@1.2.3"}}),
                Choice::Resolve(Fix::InRelease("shop@1.2.3".to_owned())),
            ),
            (
                json!({"status": "muted", "statusDetails": {}}),
                Choice::Ignore(Until::Escalating),
            ),
            (
                json!({"status": "ignored", "substatus": "archived_until_escalating"}),
                Choice::Ignore(Until::Escalating),
            ),
            (
                json!({"status": "ignored", "substatus": "archived_forever", "ignoreDuration": 0}),
                Choice::Ignore(Until::Forever),
            ),
            (
                json!({"status": "ignored", "statusDetails": {"ignoreDuration": 30}}),
                until(NOW + 30 * 60_000),
            ),
            (
                json!({"status": "muted", "snoozeDuration": 30}),
                until(NOW + 30 * 60_000),
            ),
            (
                json!({"status": "ignored", "ignoreUntil": "2026-01-02T00:00:00Z"}),
                until(NOW + 86_400_000),
            ),
            (
                json!({"status": "ignored", "ignoreCount": 10, "ignoreWindow": 60,
                       "substatus": "archived_until_condition_met"}),
                met(Conditions {
                    events: threshold(10, Some(60)),
                    ..Conditions::default()
                }),
            ),
            (
                json!({"status": "ignored", "statusDetails": {"ignoreUserCount": 5}}),
                met(Conditions {
                    users: threshold(5, None),
                    ..Conditions::default()
                }),
            ),
            (
                json!({"status": "unresolved", "substatus": null}),
                Choice::Reopen,
            ),
            (
                json!({"status": "unresolved", "substatus": "ongoing"}),
                Choice::Review,
            ),
            (json!({"inbox": false}), Choice::Review),
        ];
        for (body, wanted) in cases {
            assert_eq!(choice(&body, NOW).ok(), Some(wanted), "{body}");
        }
    }

    #[test]
    fn what_is_not_kept_is_refused() {
        for body in [
            json!({}),
            json!([]),
            json!({"status": 1}),
            json!({"status": "gone"}),
            json!({"status": "resolved", "statusDetails": {"inCommit": {"commit": "abc", "repository": "r"}}}),
            json!({"status": "resolved", "statusDetails": {"inRelease": "x", "inNextRelease": true}}),
            json!({"status": "resolved", "statusDetails": {"inRelease": 7}}),
            json!({"status": "resolved", "statusDetails": "x"}),
            json!({"status": "resolved", "statusDetails": {"ignoreCount": 3}}),
            json!({"status": "ignored", "statusDetails": {"inNextRelease": true}}),
            json!({"status": "ignored", "ignoreWindow": 30}),
            json!({"status": "ignored", "ignoreCount": -1}),
            json!({"status": "ignored", "ignoreCount": 1, "ignoreWindow": 100_000}),
            json!({"status": "ignored", "ignoreUntil": "2025-01-02T00:00:00Z"}),
            json!({"status": "ignored", "ignoreUntil": "soon"}),
            json!({"status": "ignored", "ignoreUntil": "2026-01-02T00:00:00Z", "ignoreDuration": 5}),
            json!({"status": "ignored", "substatus": "archived_until_condition_met"}),
            json!({"status": "ignored", "substatus": "ongoing"}),
            json!({"status": "unresolved", "substatus": "archived_forever"}),
            json!({"status": "unresolved", "substatus": "escalating"}),
            json!({"status": "resolved", "substatus": "odd"}),
            json!({"hasSeen": true}),
        ] {
            assert!(choice(&body, NOW).is_err(), "{body}");
        }
    }

    #[test]
    fn what_is_given_back_can_be_asked_for() {
        let body = json!({"status": "ignored", "statusDetails":
            {"ignoreUntil": "2026-01-02T00:00:00.000000Z", "ignoreCount": 3, "ignoreWindow": 60, "ignoreUserCount": 2}});
        let chosen = choice(&body, NOW).expect("a choice");
        let details = asked_details(&chosen);
        assert_eq!(details, body["statusDetails"]);
    }
}
