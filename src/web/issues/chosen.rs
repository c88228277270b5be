//! The menus Resolve and Ignore. In: the fields of their form. Out: a choice, or a sentence that says what is missing.

use crate::model::lifecycle::{Choice, Conditions, Fix, Threshold, Until};
use crate::model::search_value::moment;
use crate::web::error::PageError;
use crate::web::form::Fields;

const LONGEST_RELEASE: usize = 200;
const MINUTE_MS: i64 = 60_000;

/// Reads what the button that was pressed stands for, and the fields beside it.
pub fn choice(fields: &Fields, now: i64) -> Result<Choice, PageError> {
    let until = |conditions: Conditions| match conditions.problem(now) {
        Some(problem) => bad(&sentence(&problem)),
        None => Ok(Choice::Ignore(Until::Met(conditions))),
    };
    match fields.get("status") {
        "resolved" => Ok(Choice::Resolve(Fix::Now)),
        "resolved-next" => Ok(Choice::Resolve(Fix::InNextRelease)),
        "resolved-current" => Ok(Choice::Resolve(Fix::InLatestRelease)),
        "resolved-in" => match fields.get("release").trim() {
            "" => bad("Name the release that the issue is resolved in."),
            version if version.len() > LONGEST_RELEASE => bad("The release's name is too long."),
            version => Ok(Choice::Resolve(Fix::InRelease(version.to_owned()))),
        },
        "ignored" => Ok(Choice::Ignore(Until::Escalating)),
        "ignored-forever" => Ok(Choice::Ignore(Until::Forever)),
        "ignored-until" => match moment(fields.get("until").trim()) {
            Some(time) => until(Conditions {
                time_ms: Some(time),
                ..Conditions::default()
            }),
            None => bad("Choose the day until which the issue is ignored."),
        },
        "ignored-events" => until(Conditions {
            events: Some(threshold(fields, "events", "events_window")?),
            ..Conditions::default()
        }),
        "ignored-users" => until(Conditions {
            users: Some(threshold(fields, "users", "users_window")?),
            ..Conditions::default()
        }),
        "unresolved" => Ok(Choice::Reopen),
        "reviewed" => Ok(Choice::Review),
        other => match other.strip_prefix("ignored-for-").map(str::parse::<i64>) {
            Some(Ok(minutes)) => until(Conditions {
                time_ms: Some(now.saturating_add(minutes.saturating_mul(MINUTE_MS))),
                ..Conditions::default()
            }),
            _ => bad("This is no status."),
        },
    }
}

fn threshold(fields: &Fields, count: &str, window: &str) -> Result<Threshold, PageError> {
    let number = |name: &str| fields.get(name).trim().parse::<i64>();
    let Ok(count) = number(count) else {
        return bad("Say how many more there may be.");
    };
    Ok(Threshold {
        count,
        window_minutes: match fields.get(window) {
            "" => None,
            _ => Some(number(window).map_err(|_| {
                PageError::BadRequest("The window is a number of minutes.".to_owned())
            })?),
        },
    })
}

fn bad<T>(text: &str) -> Result<T, PageError> {
    Err(PageError::BadRequest(text.to_owned()))
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), letters.as_str())
    })
}
