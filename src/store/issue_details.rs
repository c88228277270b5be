//! What goes with a status: the release that an issue is resolved in, what ends its being ignored. In: issues. Out: their
//! rows; an issue without any has none.

use std::collections::HashMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::issue_details;
use super::{Conn, StoreError};
use crate::model::lifecycle::{Conditions, Met, Threshold};
use crate::model::sliding_window::SlidingWindow;

const MINUTE_MS: i64 = 60_000;

/// The details of a status, as stored.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, Queryable, Selectable, Insertable, Serialize, Deserialize,
)]
#[diesel(table_name = issue_details)]
#[serde(default)]
pub struct Details {
    pub issue_id: i64,
    /// When this was chosen.
    pub set_at: i64,
    /// The release that it is resolved in; or that was the newest, where it is resolved in the next one.
    pub in_release: Option<String>,
    pub in_next_release: bool,
    /// When that release was first seen; when this was chosen, where it had not been seen yet.
    pub release_at: Option<i64>,
    pub ignore_until: Option<i64>,
    pub ignore_count: Option<i64>,
    pub ignore_window: Option<i64>,
    pub ignore_user_count: Option<i64>,
    pub ignore_user_window: Option<i64>,
    /// Events and users that the issue had when this was chosen.
    pub events_before: i64,
    pub users_before: i64,
    /// What came lately, where a window is asked for; see [`SlidingWindow`].
    pub recent_events: String,
    pub recent_users: String,
}

/// What a batch adds to an issue that is ignored until a condition is met.
#[derive(Debug, Clone, Copy)]
pub struct Added {
    pub received_ms: i64,
    pub events: i64,
    pub new_users: i64,
    /// With these.
    pub events_seen: i64,
    pub users_seen: i64,
}

impl Details {
    /// For an issue that has so many events and users.
    pub fn ignoring(wanted: &Conditions, events_before: i64, users_before: i64) -> Self {
        let Conditions {
            time_ms,
            events,
            users,
        } = wanted;
        let count = |threshold: &Option<Threshold>| threshold.map(|threshold| threshold.count);
        let window = |threshold: &Option<Threshold>| {
            threshold.and_then(|threshold| threshold.window_minutes)
        };
        Self {
            ignore_until: *time_ms,
            ignore_count: count(events),
            ignore_window: window(events),
            ignore_user_count: count(users),
            ignore_user_window: window(users),
            events_before,
            users_before,
            ..Self::default()
        }
    }

    /// Counts what was added; says whether a condition is met with that.
    pub fn count(&mut self, added: Added) -> Option<Met> {
        if self
            .ignore_until
            .is_some_and(|until| until <= added.received_ms)
        {
            return Some(Met::Time);
        }
        if let Some(wanted) = self.ignore_count {
            let total = added.events_seen - self.events_before;
            let counted = match self.ignore_window {
                Some(minutes) => recent(
                    &mut self.recent_events,
                    added.received_ms,
                    added.events,
                    minutes,
                ),
                None => total,
            };
            if counted >= wanted {
                return Some(Met::Events);
            }
        }
        if let Some(wanted) = self.ignore_user_count {
            let total = added.users_seen - self.users_before;
            let counted = match self.ignore_user_window {
                Some(minutes) => recent(
                    &mut self.recent_users,
                    added.received_ms,
                    added.new_users,
                    minutes,
                ),
                None => total,
            };
            if counted >= wanted {
                return Some(Met::Users);
            }
        }
        None
    }

    fn has_window(&self) -> bool {
        self.ignore_window.is_some() || self.ignore_user_window.is_some()
    }
}

fn recent(text: &mut String, received_ms: i64, number: i64, minutes: i64) -> i64 {
    let mut window = SlidingWindow::parse(text);
    window.add(received_ms, number, minutes * MINUTE_MS);
    *text = window.to_text();
    window.sum()
}

/// The details of these issues; no query where there are none to ask for.
pub fn of_issues(conn: &mut Conn, ids: &[i64]) -> Result<HashMap<i64, Details>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Details> = issue_details::table
        .filter(issue_details::issue_id.eq_any(ids.to_vec()))
        .select(Details::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.issue_id, row)).collect())
}

/// Replaces the details of an issue.
pub fn replace(
    conn: &mut Conn,
    issue_id: i64,
    details: Option<&Details>,
) -> Result<(), StoreError> {
    diesel::delete(issue_details::table.find(issue_id)).execute(conn)?;
    if let Some(details) = details {
        let row = Details {
            issue_id,
            ..details.clone()
        };
        diesel::insert_into(issue_details::table)
            .values(&row)
            .execute(conn)?;
    }
    Ok(())
}

/// Counts from elsewhere: events and users that came to an issue, or went from it, by a merge or a split. They are none that somebody
/// waits for.
pub fn shift(conn: &mut Conn, issue_id: i64, events: i64, users: i64) -> Result<(), StoreError> {
    diesel::update(issue_details::table.find(issue_id))
        .set((
            issue_details::events_before.eq(issue_details::events_before + events),
            issue_details::users_before.eq(issue_details::users_before + users),
        ))
        .execute(conn)?;
    Ok(())
}

/// Keeps what was counted within windows, unless somebody has chosen otherwise meanwhile.
pub fn keep_counts(conn: &mut Conn, details: &Details) -> Result<(), StoreError> {
    if !details.has_window() {
        return Ok(());
    }
    diesel::update(
        issue_details::table
            .find(details.issue_id)
            .filter(issue_details::set_at.eq(details.set_at)),
    )
    .set((
        issue_details::recent_events.eq(&details.recent_events),
        issue_details::recent_users.eq(&details.recent_users),
    ))
    .execute(conn)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(received_ms: i64, events: i64, new_users: i64, totals: (i64, i64)) -> Added {
        Added {
            received_ms,
            events,
            new_users,
            events_seen: totals.0,
            users_seen: totals.1,
        }
    }

    const fn threshold(count: i64, window_minutes: Option<i64>) -> Threshold {
        Threshold {
            count,
            window_minutes,
        }
    }

    #[test]
    fn each_condition_is_met_by_what_it_waits_for() {
        let time = Conditions {
            time_ms: Some(1_000),
            ..Conditions::default()
        };
        let mut details = Details::ignoring(&time, 10, 5);
        assert_eq!(details.count(added(999, 50, 50, (60, 55))), None);
        assert_eq!(details.count(added(1_000, 1, 0, (61, 55))), Some(Met::Time));

        let events = Conditions {
            events: Some(threshold(3, None)),
            ..Conditions::default()
        };
        let mut details = Details::ignoring(&events, 10, 5);
        assert_eq!(details.count(added(1, 2, 2, (12, 7))), None);
        assert_eq!(details.count(added(2, 1, 0, (13, 7))), Some(Met::Events));

        let users = Conditions {
            users: Some(threshold(2, None)),
            ..Conditions::default()
        };
        let mut details = Details::ignoring(&users, 10, 5);
        assert_eq!(details.count(added(1, 100, 1, (110, 6))), None);
        assert_eq!(details.count(added(2, 1, 1, (111, 7))), Some(Met::Users));
    }

    #[test]
    fn a_window_forgets_what_is_older() {
        let within_an_hour = Conditions {
            events: Some(threshold(3, Some(60))),
            users: Some(threshold(2, Some(60))),
            ..Conditions::default()
        };
        let hour = 60 * MINUTE_MS;
        let mut details = Details::ignoring(&within_an_hour, 0, 0);
        assert_eq!(details.count(added(0, 2, 1, (2, 1))), None);
        assert_eq!(details.count(added(2 * hour, 2, 1, (4, 2))), None);
        let mut other = details.clone();
        assert_eq!(
            details.count(added(2 * hour + MINUTE_MS, 1, 0, (5, 2))),
            Some(Met::Events)
        );
        other.ignore_count = None;
        assert_eq!(
            other.count(added(2 * hour + MINUTE_MS, 1, 1, (5, 3))),
            Some(Met::Users)
        );
    }
}
