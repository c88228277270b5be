//! Resolving, ignoring, reopening. In: a scope, issues and the status chosen. Out: what changed, with an activity row
//! for each change in the same transaction.

use diesel::prelude::*;
use serde_json::{Value, json};

use super::dialect;
use super::schema::{activity, issues};
use super::scope::OrgScope;
use super::{Conn, StoreError};
use crate::model::issue::{State, Status, activity_kind};

/// One issue whose status changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusChange {
    pub issue_id: i64,
    pub from: State,
    pub to: State,
}

#[derive(Queryable)]
struct Before {
    id: i64,
    status: i32,
    substatus: i32,
    status_changed_at: i64,
    resolved_at: Option<i64>,
}

/// Gives the issues a status. Those that have it already, and those of other organizations, are left alone.
pub fn set_status(
    conn: &mut Conn,
    scope: &OrgScope,
    issue_ids: &[i64],
    status: Status,
    now: i64,
) -> Result<Vec<StatusChange>, StoreError> {
    let to = State::chosen(status);
    let mut changed = Vec::new();
    for before in load(conn, scope, issue_ids)? {
        let from = State::from_codes(before.status, before.substatus);
        if from.status == status {
            continue;
        }
        // Only from the state that was read: an event may reopen the issue meanwhile, and that must not get lost.
        let rows = diesel::update(
            issues::table
                .find(before.id)
                .filter(issues::status.eq(before.status)),
        )
        .set((
            issues::status.eq(to.status.code()),
            issues::substatus.eq(to.substatus.code()),
            issues::status_changed_at.eq(now),
            issues::resolved_at.eq((status == Status::Resolved).then_some(now)),
        ))
        .execute(conn)?;
        if rows == 0 {
            continue;
        }
        let data = json!({"from": {
            "status": before.status, "substatus": before.substatus,
            "status_changed_at": before.status_changed_at, "resolved_at": before.resolved_at,
        }});
        add_activity(
            conn,
            before.id,
            activity_kind(status),
            scope.user_id(),
            &data,
            now,
        )?;
        changed.push(StatusChange {
            issue_id: before.id,
            from,
            to,
        });
    }
    Ok(changed)
}

/// Takes back the last change of status of each issue, where it was made by the same user and nothing followed.
/// Returns how many it was.
pub fn undo(conn: &mut Conn, scope: &OrgScope, issue_ids: &[i64]) -> Result<usize, StoreError> {
    let mut undone = 0;
    for issue in load(conn, scope, issue_ids)? {
        let last: Option<(i64, String, Option<i64>, String)> = activity::table
            .filter(activity::issue_id.eq(issue.id))
            .order(activity::id.desc())
            .select((
                activity::id,
                activity::kind,
                activity::user_id,
                activity::data,
            ))
            .first(conn)
            .optional()?;
        let Some((activity_id, kind, user_id, data)) = last else {
            continue;
        };
        if user_id.is_none()
            || user_id != scope.user_id()
            || kind != activity_kind(Status::from_code(issue.status))
        {
            continue;
        }
        let data: Value = serde_json::from_str(&data).unwrap_or(Value::Null);
        let Some(from) = data.get("from") else {
            continue;
        };
        let number = |key: &str| from.get(key).and_then(Value::as_i64);
        let state = State::from_codes(
            number("status").unwrap_or(0) as i32,
            number("substatus").unwrap_or(0) as i32,
        );
        diesel::update(issues::table.find(issue.id))
            .set((
                issues::status.eq(state.status.code()),
                issues::substatus.eq(state.substatus.code()),
                issues::status_changed_at
                    .eq(number("status_changed_at").unwrap_or(issue.status_changed_at)),
                issues::resolved_at.eq(number("resolved_at")),
            ))
            .execute(conn)?;
        diesel::delete(activity::table.find(activity_id)).execute(conn)?;
        undone += 1;
    }
    Ok(undone)
}

/// Writes an activity row; the caller's transaction decides whether it stays.
pub fn add_activity(
    conn: &mut Conn,
    issue_id: i64,
    kind: &str,
    user_id: Option<i64>,
    data: &Value,
    now: i64,
) -> Result<(), StoreError> {
    let id = dialect::next_ids(conn, "activity", 1)?;
    diesel::insert_into(activity::table)
        .values((
            activity::id.eq(id),
            activity::issue_id.eq(issue_id),
            activity::kind.eq(kind),
            activity::user_id.eq(user_id),
            activity::data.eq(data.to_string()),
            activity::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

fn load(conn: &mut Conn, scope: &OrgScope, issue_ids: &[i64]) -> Result<Vec<Before>, StoreError> {
    Ok(issues::table
        .filter(issues::organization_id.eq(scope.organization_id()))
        .filter(issues::id.eq_any(issue_ids.to_vec()))
        .order(issues::id)
        .select((
            issues::id,
            issues::status,
            issues::substatus,
            issues::status_changed_at,
            issues::resolved_at,
        ))
        .load(conn)?)
}

#[cfg(test)]
mod tests {
    use super::super::issue_fixture::{Fixture, NOW};
    use super::*;

    fn state(conn: &mut Conn, id: i64) -> (i32, i32, Option<i64>) {
        issues::table
            .find(id)
            .select((issues::status, issues::substatus, issues::resolved_at))
            .first(conn)
            .expect("an issue")
    }

    fn rows(conn: &mut Conn) -> i64 {
        activity::table.count().get_result(conn).expect("a count")
    }

    #[test]
    fn a_change_is_made_once_and_can_be_taken_back() {
        let mut fixture = Fixture::new();
        let conn = &mut fixture.conn;
        let changed = set_status(conn, &fixture.acme, &[2, 1], Status::Resolved, NOW).expect("set");
        assert_eq!(
            changed
                .iter()
                .map(|change| change.issue_id)
                .collect::<Vec<_>>(),
            [1, 2]
        );
        assert_eq!(changed[0].from, State::NEW);
        assert_eq!(state(conn, 1), (1, 0, Some(NOW)));
        assert_eq!(rows(conn), 2);
        let again = set_status(conn, &fixture.acme, &[1], Status::Resolved, NOW).expect("set");
        assert!(again.is_empty());
        assert_eq!(undo(conn, &fixture.acme, &[1, 2, 3]).expect("undone"), 2);
        assert_eq!(state(conn, 1), (0, 7, None));
        assert_eq!(rows(conn), 0);
        assert_eq!(undo(conn, &fixture.acme, &[1]).expect("undone"), 0);
    }

    #[test]
    fn issues_of_others_are_out_of_reach() {
        let mut fixture = Fixture::new();
        let conn = &mut fixture.conn;
        let changed = set_status(conn, &fixture.acme, &[100], Status::Ignored, NOW).expect("set");
        assert!(changed.is_empty());
        set_status(conn, &fixture.other, &[100], Status::Ignored, NOW).expect("set");
        assert_eq!(state(conn, 100), (2, 5, None));
        assert_eq!(undo(conn, &fixture.acme, &[100]).expect("undone"), 0);
        assert_eq!(state(conn, 100), (2, 5, None));
    }
}
