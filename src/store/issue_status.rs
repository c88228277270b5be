//! Resolving, ignoring, reopening. In: a scope, issues and what was chosen. Out: what changed, with an activity row for
//! each change in the same transaction.

use std::collections::HashMap;

use diesel::prelude::*;
use serde_json::{Map, Value, json};

use super::dialect;
use super::issue_details::{self, Details};
use super::release_order::{self, Seen};
use super::schema::{activity, issues, projects};
use super::scope::OrgScope;
use super::{Conn, StoreError};
use crate::model::issue::{
    ACTIVITY_IGNORED, ACTIVITY_RESOLVED, ACTIVITY_RESOLVED_IN_RELEASE, ACTIVITY_REVIEWED,
    ACTIVITY_UNRESOLVED, State, Status,
};
use crate::model::lifecycle::{Choice, Fix, Until};

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
    project_id: i64,
    status: i32,
    substatus: i32,
    status_changed_at: i64,
    resolved_at: Option<i64>,
    times_seen: i64,
    users_seen: i64,
}

/// Does with the issues what was chosen. Those that are so already, and those of other organizations, are left alone.
pub fn set_status(
    conn: &mut Conn,
    scope: &OrgScope,
    issue_ids: &[i64],
    choice: &Choice,
    now: i64,
) -> Result<Vec<StatusChange>, StoreError> {
    if let Choice::Ignore(Until::Met(conditions)) = choice
        && let Some(problem) = conditions.problem(now)
    {
        return Err(StoreError::Invalid(problem));
    }
    let to = choice.state();
    let found = load(conn, scope, issue_ids)?;
    let ids: Vec<i64> = found.iter().map(|before| before.id).collect();
    let mut details_before = issue_details::of_issues(conn, &ids)?;
    let mut newest = Newest::default();
    let mut changed = Vec::new();
    for before in found {
        let from = State::from_codes(before.status, before.substatus);
        let details = details(conn, &mut newest, choice, &before, now)?;
        let earlier = details_before.remove(&before.id);
        if is_so_already(choice, from, details.as_ref(), earlier.as_ref()) {
            continue;
        }
        // Only from the state that was read: an event may reopen the issue meanwhile, and that must not get lost.
        let rows = diesel::update(
            issues::table
                .find(before.id)
                .filter(issues::status.eq(before.status))
                .filter(issues::substatus.eq(before.substatus))
                .filter(issues::status_changed_at.eq(before.status_changed_at)),
        )
        .set((
            issues::status.eq(to.status.code()),
            issues::substatus.eq(to.substatus.code()),
            issues::status_changed_at.eq(now),
            issues::resolved_at.eq((to.status == Status::Resolved).then_some(now)),
        ))
        .execute(conn)?;
        if rows == 0 {
            continue;
        }
        if details.is_some() || earlier.is_some() {
            issue_details::replace(conn, before.id, details.as_ref())?;
        }
        let mut data = details.as_ref().map(told).unwrap_or_default();
        if to.status == Status::Ignored {
            data.insert("substatus".to_owned(), json!(to.substatus.as_str()));
        }
        data.insert(
            "from".to_owned(),
            json!({
                "status": before.status, "substatus": before.substatus,
                "status_changed_at": before.status_changed_at, "resolved_at": before.resolved_at,
                "details": earlier,
            }),
        );
        let kind = activity_kind(choice);
        add_activity(conn, before.id, kind, scope.user_id(), &data.into(), now)?;
        changed.push(StatusChange {
            issue_id: before.id,
            from,
            to,
        });
    }
    Ok(changed)
}

/// The kind of the activity row that a choice leaves.
const fn activity_kind(choice: &Choice) -> &'static str {
    match choice {
        Choice::Reopen => ACTIVITY_UNRESOLVED,
        Choice::Review => ACTIVITY_REVIEWED,
        Choice::Resolve(Fix::Now) => ACTIVITY_RESOLVED,
        Choice::Resolve(_) => ACTIVITY_RESOLVED_IN_RELEASE,
        Choice::Ignore(_) => ACTIVITY_IGNORED,
    }
}

fn is_so_already(
    choice: &Choice,
    from: State,
    details: Option<&Details>,
    earlier: Option<&Details>,
) -> bool {
    let release =
        |details: Option<&Details>| details.map(|it| (it.in_release.clone(), it.in_next_release));
    match choice {
        Choice::Reopen => from.status == Status::Unresolved,
        Choice::Review => from == State::ONGOING,
        // Choosing a condition again starts counting anew.
        Choice::Ignore(Until::Met(_)) => false,
        Choice::Ignore(_) => from == choice.state(),
        Choice::Resolve(_) => from == choice.state() && release(details) == release(earlier),
    }
}

/// The newest release of each project asked for so far.
type Newest = HashMap<i64, Option<Seen>>;

/// What is stored beside the status.
fn details(
    conn: &mut Conn,
    newest: &mut Newest,
    choice: &Choice,
    before: &Before,
    now: i64,
) -> Result<Option<Details>, StoreError> {
    let details = match choice {
        Choice::Reopen
        | Choice::Review
        | Choice::Resolve(Fix::Now)
        | Choice::Ignore(Until::Forever) => return Ok(None),
        Choice::Ignore(Until::Escalating) => Details {
            events_before: before.times_seen,
            users_before: before.users_seen,
            ..Details::default()
        },
        Choice::Ignore(Until::Met(conditions)) => {
            Details::ignoring(conditions, before.times_seen, before.users_seen)
        }
        Choice::Resolve(Fix::InRelease(version)) => {
            let seen = release_order::first_seen(conn, before.project_id, version)?;
            Details {
                in_release: Some(version.clone()),
                release_at: Some(seen.unwrap_or(now)),
                ..Details::default()
            }
        }
        Choice::Resolve(Fix::InLatestRelease) => {
            let Seen {
                version,
                first_seen,
            } = newest_of(conn, newest, before.project_id)?;
            Details {
                in_release: Some(version),
                release_at: Some(first_seen),
                ..Details::default()
            }
        }
        Choice::Resolve(Fix::InNextRelease) => {
            let Seen {
                version,
                first_seen,
            } = newest_of(conn, newest, before.project_id)?;
            Details {
                in_release: Some(version),
                in_next_release: true,
                release_at: Some(first_seen),
                ..Details::default()
            }
        }
    };
    Ok(Some(Details {
        issue_id: before.id,
        set_at: now,
        ..details
    }))
}

/// Without a release there is none that could be the current or the next one, and nothing would ever reopen the issue.
fn newest_of(conn: &mut Conn, newest: &mut Newest, project_id: i64) -> Result<Seen, StoreError> {
    let found = match newest.get(&project_id) {
        Some(found) => found.clone(),
        None => release_order::newest(conn, project_id)?,
    };
    newest.insert(project_id, found.clone());
    if let Some(found) = found {
        return Ok(found);
    }
    let slug: String = projects::table
        .find(project_id)
        .select(projects::slug)
        .first(conn)?;
    Err(StoreError::Invalid(format!(
        "the project {slug} has no releases yet: no event of it names one"
    )))
}

/// What an activity row tells of the details, in the API's words.
fn told(details: &Details) -> Map<String, Value> {
    let Details {
        in_release,
        in_next_release,
        ignore_until,
        ignore_count,
        ignore_window,
        ignore_user_count,
        ignore_user_window,
        ..
    } = details;
    let mut told = Map::new();
    if let Some(version) = in_release {
        told.insert("version".to_owned(), json!(version));
        told.insert("inNextRelease".to_owned(), json!(in_next_release));
    }
    for (key, value) in [
        ("ignoreUntil", ignore_until),
        ("ignoreCount", ignore_count),
        ("ignoreWindow", ignore_window),
        ("ignoreUserCount", ignore_user_count),
        ("ignoreUserWindow", ignore_user_window),
    ] {
        if let Some(value) = value {
            told.insert(key.to_owned(), json!(value));
        }
    }
    told
}

/// Takes back the last change of status of each issue, where it was made by the same user and nothing followed.
/// Returns how many it was.
pub fn undo(conn: &mut Conn, scope: &OrgScope, issue_ids: &[i64]) -> Result<usize, StoreError> {
    let mut undone = 0;
    for issue in load(conn, scope, issue_ids)? {
        let last: Option<(i64, Option<i64>, String)> = activity::table
            .filter(activity::issue_id.eq(issue.id))
            .order(activity::id.desc())
            .select((activity::id, activity::user_id, activity::data))
            .first(conn)
            .optional()?;
        let Some((activity_id, user_id, data)) = last else {
            continue;
        };
        if user_id.is_none() || user_id != scope.user_id() {
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
        let details: Option<Details> =
            serde_json::from_value(from["details"].clone()).unwrap_or_default();
        issue_details::replace(conn, issue.id, details.as_ref())?;
        diesel::delete(activity::table.find(activity_id)).execute(conn)?;
        undone += 1;
    }
    Ok(undone)
}

/// What Bugle itself does to an issue, where nobody has done anything to it meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    pub issue_id: i64,
    pub from: State,
    /// When the issue came into that state.
    pub since: i64,
    /// Only if its last event is older than this.
    pub seen_before: i64,
    pub to: State,
    pub kind: &'a str,
    pub data: &'a Value,
}

/// Takes a step in one conditional update, so that of several that are taken at the same time one counts. With a step that
/// brings the issue back it has come back once more.
pub fn take_step(conn: &mut Conn, step: &Step<'_>, now: i64) -> Result<bool, StoreError> {
    let comes_back = i32::from(step.to.status == Status::Unresolved);
    let rows = diesel::update(
        issues::table
            .find(step.issue_id)
            .filter(issues::status.eq(step.from.status.code()))
            .filter(issues::substatus.eq(step.from.substatus.code()))
            .filter(issues::status_changed_at.eq(step.since))
            .filter(issues::last_seen.lt(step.seen_before)),
    )
    .set((
        issues::status.eq(step.to.status.code()),
        issues::substatus.eq(step.to.substatus.code()),
        issues::status_changed_at.eq(now),
        issues::resolved_at.eq((step.to.status == Status::Resolved).then_some(now)),
        issues::regressions.eq(issues::regressions + comes_back),
    ))
    .execute(conn)?;
    if rows == 0 {
        return Ok(false);
    }
    if step.from.status != Status::Unresolved {
        issue_details::replace(conn, step.issue_id, None)?;
    }
    add_activity(conn, step.issue_id, step.kind, None, step.data, now)?;
    Ok(true)
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
            issues::project_id,
            issues::status,
            issues::substatus,
            issues::status_changed_at,
            issues::resolved_at,
            issues::times_seen,
            issues::users_seen,
        ))
        .load(conn)?)
}

#[cfg(test)]
mod tests {
    use super::super::issue_fixture::{Fixture, NOW};
    use super::*;

    const IGNORED: Choice = Choice::Ignore(Until::Escalating);

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
        let changed = set_status(
            conn,
            &fixture.acme,
            &[2, 1],
            &Choice::Resolve(Fix::Now),
            NOW,
        )
        .expect("set");
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
        let again =
            set_status(conn, &fixture.acme, &[1], &Choice::Resolve(Fix::Now), NOW).expect("set");
        assert!(again.is_empty());
        assert_eq!(undo(conn, &fixture.acme, &[1, 2, 3]).expect("undone"), 2);
        assert_eq!(state(conn, 1), (0, 7, None));
        assert_eq!(rows(conn), 0);
        assert_eq!(undo(conn, &fixture.acme, &[1]).expect("undone"), 0);
    }

    #[test]
    fn undo_brings_back_what_went_with_the_status() {
        let mut fixture = Fixture::new();
        let conn = &mut fixture.conn;
        let in_release = Choice::Resolve(Fix::InRelease("shop@2".to_owned()));
        set_status(conn, &fixture.acme, &[1], &in_release, NOW).expect("set");
        let stored = |conn: &mut Conn| {
            issue_details::of_issues(conn, &[1])
                .expect("details")
                .remove(&1)
        };
        let before = stored(conn).expect("details");
        assert_eq!(before.in_release.as_deref(), Some("shop@2"));
        set_status(conn, &fixture.acme, &[1], &IGNORED, NOW + 1).expect("set");
        assert_eq!(stored(conn).and_then(|details| details.in_release), None);
        assert_eq!(undo(conn, &fixture.acme, &[1]).expect("undone"), 1);
        assert_eq!(stored(conn), Some(before));
        assert_eq!(state(conn, 1), (1, 0, Some(NOW)));
    }

    #[test]
    fn without_releases_there_is_no_next_one() {
        let mut fixture = Fixture::new();
        let conn = &mut fixture.conn;
        for fix in [Fix::InNextRelease, Fix::InLatestRelease] {
            let refused = set_status(conn, &fixture.acme, &[1], &Choice::Resolve(fix), NOW);
            assert!(matches!(refused, Err(StoreError::Invalid(_))));
        }
    }

    #[test]
    fn what_is_known_is_reviewed() {
        let mut fixture = Fixture::new();
        let conn = &mut fixture.conn;
        let review = |conn: &mut Conn, scope: &OrgScope| {
            set_status(conn, scope, &[1], &Choice::Review, NOW).expect("set")
        };
        assert_eq!(review(conn, &fixture.acme).len(), 1);
        assert_eq!(state(conn, 1), (0, 3, None));
        assert!(review(conn, &fixture.acme).is_empty());
    }

    #[test]
    fn issues_of_others_are_out_of_reach() {
        let mut fixture = Fixture::new();
        let conn = &mut fixture.conn;
        let changed = set_status(conn, &fixture.acme, &[100], &IGNORED, NOW).expect("set");
        assert!(changed.is_empty());
        set_status(conn, &fixture.other, &[100], &IGNORED, NOW).expect("set");
        assert_eq!(state(conn, 100), (2, 1, None));
        assert_eq!(undo(conn, &fixture.acme, &[100]).expect("undone"), 0);
        assert_eq!(state(conn, 100), (2, 1, None));
    }
}
