//! Resolved and ignored issues that come back. In: placed events, and the states that their issues were in. Out: reopened
//! issues, each by one conditional update, so that who resolves or ignores it again at the same moment is not overruled.
//!
//! Unresolved issues, those that are ignored for good and those that wait for an escalation cost no query here.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::prelude::*;

use super::changes::IssueChangeKind;
use super::place::{IssueState, Placed, Placement};
use crate::model::issue::{State, Status, Substatus};
use crate::store::issue_details::{self, Added, Details};
use crate::store::release_order::{Dated, ReleaseOrder};
use crate::store::schema::issues;
use crate::store::{Conn, StoreError};

/// Reopens resolved issues that have an event which is not of the past: received after the resolution and, where that is
/// bound to a release, of a release that should have the fix. Gives the details of ignored issues for [`ignored`].
pub(super) fn resolved(
    conn: &mut Conn,
    placed: &mut [Placed<'_>],
    states: &HashMap<i64, IssueState>,
) -> Result<HashMap<i64, Details>, StoreError> {
    let ids: Vec<i64> = states
        .iter()
        .filter(|(_, issue)| {
            issue.state.status == Status::Resolved
                || issue.state.substatus == Substatus::UntilConditionMet
        })
        .map(|(id, _)| *id)
        .collect();
    let mut details = issue_details::of_issues(conn, &ids)?;
    let mut order = ReleaseOrder::default();
    let mut reopened = BTreeSet::new();
    for event in placed {
        let Some(issue) = states.get(&event.issue_id) else {
            continue;
        };
        let (Status::Resolved, Some(resolved_at)) = (issue.state.status, issue.resolved_at) else {
            continue;
        };
        if reopened.contains(&event.issue_id)
            || event.new.item.received_ms <= resolved_at
            || !has_the_fix(conn, &mut order, event, details.get(&event.issue_id))?
        {
            continue;
        }
        reopened.insert(event.issue_id);
        if come_back(conn, event, issue, State::REGRESSED)? {
            event.change = Some(IssueChangeKind::Regressed);
        }
    }
    details.retain(|id, _| {
        states
            .get(id)
            .is_some_and(|issue| issue.state.status == Status::Ignored)
    });
    Ok(details)
}

/// Whether the issue should not happen any more where this event comes from.
fn has_the_fix(
    conn: &mut Conn,
    order: &mut ReleaseOrder,
    event: &Placed<'_>,
    details: Option<&Details>,
) -> Result<bool, StoreError> {
    let Some(details) = details else {
        return Ok(true);
    };
    let Some(fixed_in) = &details.in_release else {
        return Ok(true);
    };
    let Some(release) = &event.new.event.release else {
        return Ok(false);
    };
    if release == fixed_in {
        return Ok(!details.in_next_release);
    }
    let one = Dated {
        version: release,
        otherwise: event.new.event.timestamp_ms,
    };
    let other = Dated {
        version: fixed_in,
        otherwise: details.release_at.unwrap_or(details.set_at),
    };
    order.is_newer(conn, event.new.item.project_id, one, other)
}

/// Ends the ignoring of issues whose condition the batch has met, and keeps count for those where it has not.
/// `new_users` says how many users each issue had not had before.
pub(super) fn ignored(
    conn: &mut Conn,
    placement: &mut Placement<'_>,
    new_users: &HashMap<i64, i64>,
) -> Result<(), StoreError> {
    if placement.watched.is_empty() {
        return Ok(());
    }
    let mut by_issue = BTreeMap::<i64, Vec<usize>>::new();
    for (at, event) in placement.events.iter().enumerate() {
        if placement.watched.contains_key(&event.issue_id) {
            by_issue.entry(event.issue_id).or_default().push(at);
        }
    }
    for (issue_id, events) in by_issue {
        let (Some(issue), Some(mut details), Some(last)) = (
            placement.states.get(&issue_id),
            placement.watched.remove(&issue_id),
            events.last(),
        ) else {
            continue;
        };
        let received = |at: &usize| placement.events[*at].new.item.received_ms;
        let new_users = new_users.get(&issue_id).copied().unwrap_or(0);
        let added = Added {
            received_ms: events.iter().map(received).max().unwrap_or(0),
            events: events.len() as i64,
            new_users,
            events_seen: issue.times_seen + events.len() as i64,
            users_seen: issue.users_seen + new_users,
        };
        match details.count(added) {
            Some(met) => {
                let event = &mut placement.events[*last];
                if come_back(conn, event, issue, State::ONGOING)? {
                    event.change = Some(IssueChangeKind::Unignored(met));
                }
            }
            None => issue_details::keep_counts(conn, &details)?,
        }
    }
    Ok(())
}

/// Makes an issue unresolved, if it is still as the batch found it.
fn come_back(
    conn: &mut Conn,
    event: &mut Placed<'_>,
    issue: &IssueState,
    to: State,
) -> Result<bool, StoreError> {
    let release = event.new.event.release.clone();
    let changed = diesel::update(
        issues::table
            .filter(issues::id.eq(event.issue_id))
            .filter(issues::status.eq(issue.state.status.code()))
            .filter(issues::substatus.eq(issue.state.substatus.code()))
            .filter(issues::status_changed_at.eq(issue.status_changed_at)),
    )
    .set((
        issues::status.eq(to.status.code()),
        issues::substatus.eq(to.substatus.code()),
        issues::status_changed_at.eq(event.new.item.received_ms),
        issues::resolved_at.eq(None::<i64>),
        issues::regressions.eq(issues::regressions + 1),
        (to == State::REGRESSED).then(|| issues::regressed_release.eq(release)),
    ))
    .execute(conn)?;
    if changed == 0 {
        return Ok(false);
    }
    issue_details::replace(conn, event.issue_id, None)?;
    event.regressions = issue.regressions + 1;
    Ok(true)
}
