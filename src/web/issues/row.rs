//! A row of the issue list. In: an issue as stored, its bars. Out: what the row shows, as texts.

use std::collections::HashMap;

use crate::model::event::Level;
use crate::model::issue::{State, Status, Substatus};
use crate::model::names;
use crate::store::issue_list::{BAR_DAYS, DAY_MS, IssueRow, bars_start};
use crate::store::release_details::DeployMark;
use crate::web::chart::Bars;
use crate::web::format::{Count, When};

/// A word that stands out on a row.
pub struct Badge {
    pub class: &'static str,
    pub text: &'static str,
}

/// One issue of the list.
pub struct Row {
    pub id: i64,
    pub href: String,
    pub level: &'static str,
    pub kind: String,
    pub value: String,
    pub culprit: String,
    pub short_id: String,
    pub platform: String,
    pub badge: Option<Badge>,
    pub unhandled: bool,
    pub bars: Bars,
    pub events: Count,
    pub users: Option<Count>,
    pub seen: When,
    pub old: When,
}

/// Makes a stored row ready to be shown.
pub fn view(
    row: &IssueRow,
    org: &str,
    prefixes: &HashMap<i64, &str>,
    bars: &HashMap<i64, [i64; BAR_DAYS]>,
    deploys: &[DeployMark],
    now: i64,
) -> Row {
    let of_project: Vec<DeployMark> = deploys
        .iter()
        .filter(|deploy| deploy.project_id == row.project_id)
        .cloned()
        .collect();
    Row {
        id: row.id,
        href: format!("/{org}/issues/{}/", row.id),
        level: level_name(row.level),
        kind: if row.title_type.is_empty() {
            row.title.clone()
        } else {
            row.title_type.clone()
        },
        value: row.title_value.clone(),
        culprit: row.culprit.clone(),
        short_id: names::short_id(
            prefixes.get(&row.project_id).copied().unwrap_or_default(),
            row.short_number,
        ),
        platform: row.platform.clone(),
        badge: badge(State::from_codes(row.status, row.substatus).seen_at(
            row.first_seen,
            row.status_changed_at,
            now,
        )),
        unhandled: row.is_unhandled,
        bars: Bars::days(&bars.get(&row.id).copied().unwrap_or_default()).with_deploys(
            &of_project,
            bars_start(now),
            BAR_DAYS as i64 * DAY_MS,
        ),
        events: Count::new(row.times_seen),
        users: (row.users_seen > 0).then(|| users(row.users_seen)),
        seen: When::age(row.last_seen, now),
        old: When::old(row.first_seen, now),
    }
}

/// Distinct users are exact up to ten thousand.
pub fn users(number: i64) -> Count {
    if number > 10_000 {
        Count::about(number)
    } else {
        Count::new(number)
    }
}

/// The name of a stored level.
pub fn level_name(code: i32) -> &'static str {
    Level::from_i32(code).unwrap_or(Level::Error).as_str()
}

/// What needs a decision, or what was decided.
pub fn badge(state: State) -> Option<Badge> {
    let (class, text) = match (state.status, state.substatus) {
        (Status::Resolved, _) => ("ok", "resolved"),
        (Status::Ignored, Substatus::UntilEscalating) => ("outline", "ignored until escalating"),
        (Status::Ignored, Substatus::UntilConditionMet) => ("outline", "ignored for now"),
        (Status::Ignored, Substatus::Forever) => ("outline", "ignored for good"),
        (Status::Ignored, _) => ("outline", "ignored"),
        (Status::Unresolved, Substatus::New) => ("new", "new"),
        (Status::Unresolved, Substatus::Regressed) => ("regressed", "regressed"),
        (Status::Unresolved, Substatus::Escalating) => ("escalating", "escalating"),
        (Status::Unresolved, _) => return None,
    };
    Some(Badge { class, text })
}
