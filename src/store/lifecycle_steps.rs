//! What time does to issues: escalations, the end of being ignored, resolution by age. In: projects and the clock. Out: issues
//! changed, each with its activity row, and what people should hear of.

use std::collections::HashMap;

use diesel::prelude::*;
use serde_json::json;

use super::issue_details::{self, Details};
use super::issue_status::{Step, take_step};
use super::schema::{events, issue_details as details_table, issue_hours, issues, projects};
use super::{Conn, StoreError};
use crate::model::escalation::{self, LEAST, WEEK_HOURS};
use crate::model::issue::{
    ACTIVITY_ESCALATING, ACTIVITY_RESOLVED_BY_AGE, ACTIVITY_UNIGNORED, FRESH_MS, State, Status,
    Substatus,
};
use crate::model::lifecycle::Met;

const HOUR_MS: i64 = 3_600_000;
/// Issues changed in one transaction: where there is one writer, the digest waits for it.
pub const STEP: i64 = 200;

/// The longest time after which a project can resolve by age: ten years.
pub const MOST_HOURS: i64 = 10 * 366 * 24;

/// An issue that people want to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    pub project_id: i64,
    pub issue_id: i64,
    /// How often it has come back so far.
    pub regressions: i32,
    /// Its latest event, 32 hex digits; zeros where none is kept.
    pub event_id: String,
}

#[derive(Debug, Clone, Queryable)]
struct Row {
    id: i64,
    project_id: i64,
    status: i32,
    substatus: i32,
    status_changed_at: i64,
    first_seen: i64,
    times_seen: i64,
    regressions: i32,
}

type Columns = (
    issues::id,
    issues::project_id,
    issues::status,
    issues::substatus,
    issues::status_changed_at,
    issues::first_seen,
    issues::times_seen,
    issues::regressions,
);

const COLUMNS: Columns = (
    issues::id,
    issues::project_id,
    issues::status,
    issues::substatus,
    issues::status_changed_at,
    issues::first_seen,
    issues::times_seen,
    issues::regressions,
);

impl Row {
    const fn state(&self) -> State {
        State::from_codes(self.status, self.substatus)
    }

    fn returned(&self, conn: &mut Conn) -> Result<Returned, StoreError> {
        let event_id: Option<Vec<u8>> = events::table
            .filter(events::issue_id.eq(self.id))
            .order(events::id.desc())
            .select(events::event_id)
            .first(conn)
            .optional()?;
        Ok(Returned {
            project_id: self.project_id,
            issue_id: self.id,
            regressions: self.regressions + 1,
            event_id: hex::encode(event_id.unwrap_or_else(|| vec![0; 16])),
        })
    }
}

/// All projects.
pub fn projects(conn: &mut Conn) -> Result<Vec<i64>, StoreError> {
    Ok(projects::table
        .order(projects::id)
        .select(projects::id)
        .load(conn)?)
}

/// The issues of a project that might escalate: seen in this hour, and ongoing or ignored until they escalate.
pub fn might_escalate(conn: &mut Conn, project_id: i64, now: i64) -> Result<Vec<i64>, StoreError> {
    let this_hour = now / HOUR_MS * HOUR_MS;
    let mut found = Vec::new();
    for status in [Status::Unresolved, Status::Ignored] {
        let rows: Vec<Row> = issues::table
            .filter(issues::project_id.eq(project_id))
            .filter(issues::status.eq(status.code()))
            .filter(issues::last_seen.ge(this_hour))
            .filter(issues::times_seen.gt(LEAST))
            .select(COLUMNS)
            .load(conn)?;
        let waiting = rows.iter().filter(|row| {
            let state = row
                .state()
                .seen_at(row.first_seen, row.status_changed_at, now);
            state == State::ONGOING || state.substatus == Substatus::UntilEscalating
        });
        found.extend(waiting.map(|row| row.id));
    }
    Ok(found)
}

/// Marks those of the issues as escalating that have more events in this hour than their last week makes usual.
pub fn escalate(conn: &mut Conn, ids: &[i64], now: i64) -> Result<Vec<Returned>, StoreError> {
    let hour = now / HOUR_MS;
    let this_hour = hours(conn, ids, hour, hour + 1)?;
    let busy: Vec<i64> = this_hour
        .iter()
        .filter(|(_, events)| events.iter().sum::<i64>() > LEAST)
        .map(|(id, _)| *id)
        .collect();
    if busy.is_empty() {
        return Ok(Vec::new());
    }
    let week = hours(conn, &busy, hour - WEEK_HOURS as i64, hour)?;
    let details = issue_details::of_issues(conn, &busy)?;
    let rows: Vec<Row> = issues::table
        .filter(issues::id.eq_any(busy))
        .order(issues::id)
        .select(COLUMNS)
        .load(conn)?;
    let mut escalated = Vec::new();
    for row in rows {
        let events = this_hour
            .get(&row.id)
            .map_or(0, |events| events.iter().sum());
        let before = week.get(&row.id).map_or(&[][..], Vec::as_slice);
        let Some((events, limit)) = judged(&row, before, events, details.get(&row.id), now) else {
            continue;
        };
        if events <= limit {
            continue;
        }
        let data = json!({"events": events, "limit": limit});
        let step = Step {
            issue_id: row.id,
            from: row.state(),
            since: row.status_changed_at,
            seen_before: i64::MAX,
            to: State::ESCALATING,
            kind: ACTIVITY_ESCALATING,
            data: &data,
        };
        if take_step(conn, &step, now)? {
            escalated.push(row.returned(conn)?);
        }
    }
    Ok(escalated)
}

/// The events of this hour that count, and the limit for them; none where nothing usual is known yet.
fn judged(
    row: &Row,
    week: &[i64],
    this_hour: i64,
    details: Option<&Details>,
    now: i64,
) -> Option<(i64, i64)> {
    let is_young = row.first_seen > now - FRESH_MS;
    let age = (now / HOUR_MS - row.first_seen / HOUR_MS).max(0) as usize;
    let mut hours = week[week.len() - age.min(week.len())..].to_vec();
    let mut events = this_hour;
    // Who ignores an issue in the midst of a spike knows of that spike: it belongs to what is usual.
    if let Some(details) = details
        && row.state().substatus == Substatus::UntilEscalating
        && details.set_at / HOUR_MS == now / HOUR_MS
    {
        events = events.min(row.times_seen - details.events_before);
        hours.push(this_hour - events);
    }
    if is_young && hours.iter().all(|events| *events == 0) {
        return None;
    }
    Some((events, escalation::limit(&hours, is_young)))
}

/// Events of each issue in the hours of a range; issues without any have zeros.
fn hours(
    conn: &mut Conn,
    ids: &[i64],
    from: i64,
    to: i64,
) -> Result<HashMap<i64, Vec<i64>>, StoreError> {
    let rows: Vec<(i64, i64, i64)> = issue_hours::table
        .filter(issue_hours::issue_id.eq_any(ids.to_vec()))
        .filter(issue_hours::hour.ge(from))
        .filter(issue_hours::hour.lt(to))
        .select((
            issue_hours::issue_id,
            issue_hours::hour,
            issue_hours::events,
        ))
        .load(conn)?;
    let none = vec![0; (to - from) as usize];
    let mut hours: HashMap<i64, Vec<i64>> = ids.iter().map(|id| (*id, none.clone())).collect();
    for (id, hour, events) in rows {
        if let Some(of_issue) = hours.get_mut(&id) {
            of_issue[(hour - from) as usize] += events;
        }
    }
    Ok(hours)
}

/// Ends the ignoring of issues whose time is over, as many as one transaction should.
pub fn end_ignoring(conn: &mut Conn, now: i64) -> Result<Vec<Returned>, StoreError> {
    let rows: Vec<Row> = details_table::table
        .inner_join(issues::table.on(issues::id.eq(details_table::issue_id)))
        .filter(details_table::ignore_until.le(now))
        .order(issues::id)
        .limit(STEP)
        .select(COLUMNS)
        .load(conn)?;
    let data = json!({"reason": Met::Time.as_str()});
    let mut returned = Vec::new();
    for row in rows {
        let step = Step {
            issue_id: row.id,
            from: row.state(),
            since: row.status_changed_at,
            seen_before: i64::MAX,
            to: State::ONGOING,
            kind: ACTIVITY_UNIGNORED,
            data: &data,
        };
        if take_step(conn, &step, now)? {
            returned.push(row.returned(conn)?);
        }
    }
    Ok(returned)
}

/// The projects that resolve by age, with the hours after which they do.
pub fn resolving_by_age(conn: &mut Conn) -> Result<Vec<(i64, i64)>, StoreError> {
    Ok(projects::table
        .filter(projects::resolve_age.gt(0))
        .order(projects::id)
        .select((projects::id, projects::resolve_age.assume_not_null()))
        .load(conn)?)
}

/// The hours after which a project resolves what is not seen any more; none where it does not.
pub fn resolve_age(conn: &mut Conn, project_id: i64) -> Result<Option<i64>, StoreError> {
    Ok(projects::table
        .find(project_id)
        .select(projects::resolve_age)
        .first(conn)?)
}

/// Sets the hours after which a project resolves. The caller has checked who may do that.
pub fn set_resolve_age(
    conn: &mut Conn,
    project_id: i64,
    hours: Option<i64>,
) -> Result<(), StoreError> {
    diesel::update(projects::table.find(project_id))
        .set(projects::resolve_age.eq(hours.filter(|hours| *hours > 0)))
        .execute(conn)?;
    Ok(())
}

/// Resolves issues after this number that were neither seen nor touched for so many hours. Gives how many it resolved, and
/// the number to go on after where there may be more.
pub fn resolve_by_age(
    conn: &mut Conn,
    project_id: i64,
    hours: i64,
    after: i64,
    now: i64,
) -> Result<(usize, Option<i64>), StoreError> {
    let cutoff = now - hours * HOUR_MS;
    let rows: Vec<Row> = issues::table
        .filter(issues::project_id.eq(project_id))
        .filter(issues::status.eq(Status::Unresolved.code()))
        .filter(issues::last_seen.lt(cutoff))
        .filter(issues::status_changed_at.lt(cutoff))
        .filter(issues::id.gt(after))
        .order(issues::id)
        .limit(STEP)
        .select(COLUMNS)
        .load(conn)?;
    let data = json!({"age": hours});
    let mut resolved = 0;
    for row in &rows {
        let step = Step {
            issue_id: row.id,
            from: row.state(),
            since: row.status_changed_at,
            seen_before: cutoff,
            to: State::RESOLVED,
            kind: ACTIVITY_RESOLVED_BY_AGE,
            data: &data,
        };
        resolved += usize::from(take_step(conn, &step, now)?);
    }
    let more = rows.len() as i64 == STEP;
    Ok((resolved, rows.last().filter(|_| more).map(|row| row.id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000 * 24 * HOUR_MS + HOUR_MS / 2;

    fn row(age_hours: i64, substatus: Substatus) -> Row {
        Row {
            id: 1,
            project_id: 1,
            status: 0,
            substatus: substatus.code(),
            status_changed_at: 0,
            first_seen: NOW - age_hours * HOUR_MS,
            times_seen: 1_000,
            regressions: 0,
        }
    }

    #[test]
    fn the_week_of_a_young_issue_is_its_life() {
        let mut week = vec![0; WEEK_HOURS];
        week[WEEK_HOURS - 2] = 30;
        let young = row(2, Substatus::Ongoing);
        assert_eq!(judged(&young, &week, 40, None, NOW), Some((40, 300)));
        let old = row(1_000, Substatus::Ongoing);
        let (_, limit) = judged(&old, &week, 40, None, NOW).expect("a limit");
        assert_eq!(limit, 60, "twice its only burst");
        let just_now = row(0, Substatus::Ongoing);
        assert_eq!(judged(&just_now, &week, 40, None, NOW), None);
    }

    #[test]
    fn the_spike_that_somebody_ignored_is_usual() {
        let week = vec![0; WEEK_HOURS];
        let ignored = row(1_000, Substatus::UntilEscalating);
        let details = Details {
            set_at: NOW - 1,
            events_before: 950,
            ..Details::default()
        };
        let (events, limit) = judged(&ignored, &week, 550, Some(&details), NOW).expect("a limit");
        assert_eq!(events, 50);
        assert!(limit >= 1_000, "{limit}");
        let long_ago = Details {
            set_at: NOW - 2 * HOUR_MS,
            ..details
        };
        assert_eq!(
            judged(&ignored, &week, 550, Some(&long_ago), NOW),
            Some((550, LEAST))
        );
    }
}
