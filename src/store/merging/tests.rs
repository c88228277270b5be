//! Merges and splits against a database: what tests over HTTP cannot bring about in time.

use diesel::prelude::*;

use super::*;
use crate::store::digest::OVERFLOW;
use crate::store::issue_fixture::{Fixture, NOW};
use crate::store::schema::{events, issue_hashes, issues, projects};
use crate::store::{dialect, retention};

fn project_of(conn: &mut Conn, issue_id: i64) -> i64 {
    let project = issues::table.find(issue_id).select(issues::project_id);
    project.first(conn).expect("an issue")
}

fn insert_event(conn: &mut Conn, id: i64, issue_id: i64, hash: Option<[u8; 16]>) {
    let project_id = project_of(conn, issue_id);
    diesel::insert_into(events::table)
        .values((
            events::id.eq(id),
            events::project_id.eq(project_id),
            events::issue_id.eq(issue_id),
            events::event_id.eq(id.to_be_bytes().to_vec()),
            events::timestamp.eq(NOW - id),
            events::data.eq(b"\0{}".to_vec()),
            events::hash.eq(hash.map(|hash| hash.to_vec())),
        ))
        .execute(conn)
        .expect("an event");
    diesel::update(issues::table.find(issue_id))
        .set((
            issues::stored_events.eq(issues::stored_events + 1),
            issues::stored_bytes.eq(issues::stored_bytes + 3),
        ))
        .execute(conn)
        .expect("sums");
}

fn insert_hash(conn: &mut Conn, issue_id: i64, hash: [u8; 16]) {
    let project_id = project_of(conn, issue_id);
    diesel::insert_into(issue_hashes::table)
        .values((
            issue_hashes::project_id.eq(project_id),
            issue_hashes::hash.eq(hash.to_vec()),
            issue_hashes::issue_id.eq(issue_id),
        ))
        .execute(conn)
        .expect("a hash");
}

/// Events kept, their bytes, and events seen.
fn sums(conn: &mut Conn, issue_id: i64) -> (i64, i64, i64) {
    issues::table
        .find(issue_id)
        .select((
            issues::stored_events,
            issues::stored_bytes,
            issues::times_seen,
        ))
        .first(conn)
        .expect("an issue")
}

fn finish_all(conn: &mut Conn, issue_id: i64) {
    let cache = Cache::default();
    while step(conn, &cache, issue_id).expect("a step") == Progress::More {}
}

/// The sums of an issue have the events of one that was merged into it from the first moment on.
#[test]
fn what_retention_deletes_on_the_way_is_taken_off_the_survivor() {
    let mut fixture = Fixture::new();
    let conn = &mut fixture.conn;
    for id in [10, 11, 12] {
        insert_event(conn, id, 1, None);
    }
    insert_event(conn, 20, 2, None);
    let merged = merge(conn, &fixture.acme, &[1, 2], None, NOW).expect("merged");
    assert_eq!((merged.parent, merged.children), (2, vec![1]));
    assert_eq!(sums(conn, 2), (4, 12, 14));
    // Into a third meanwhile.
    let merged = merge(conn, &fixture.acme, &[1, 3], None, NOW).expect("merged");
    assert_eq!((merged.parent, merged.children), (2, vec![3]));
    retention::delete_rows(conn, &[10, 20]).expect("deleted");
    assert_eq!(sums(conn, 2), (2, 6, 21));
    assert!(is_moving(conn, 2).expect("an answer"));
    finish_all(conn, 1);
    finish_all(conn, 3);
    assert!(!is_moving(conn, 2).expect("an answer"));
    retention::delete_rows(conn, &[11]).expect("deleted");
    assert_eq!(sums(conn, 2), (1, 3, 21));
    let left: Vec<(i64, i64)> = events::table
        .select((events::id, events::issue_id))
        .load(conn)
        .expect("events");
    assert_eq!(left, [(12, 2)]);
}

#[test]
fn what_is_merged_away_goes_on_to_the_next() {
    let mut fixture = Fixture::new();
    let conn = &mut fixture.conn;
    insert_event(conn, 10, 1, None);
    insert_event(conn, 20, 2, None);
    merge(conn, &fixture.acme, &[1, 2], None, NOW).expect("merged");
    diesel::update(issues::table.find(3))
        .set(issues::times_seen.eq(100))
        .execute(conn)
        .expect("more events");
    let merged = merge(conn, &fixture.acme, &[2, 3], None, NOW).expect("merged");
    assert_eq!((merged.parent, merged.children), (3, vec![2]));
    finish_all(conn, 2);
    finish_all(conn, 1);
    let owners: Vec<i64> = events::table
        .select(events::issue_id)
        .load(conn)
        .expect("events");
    assert_eq!(owners, [3, 3]);
    assert_eq!(sums(conn, 3), (2, 6, 114));
    for id in [1, 2] {
        assert_eq!(redirect::current(conn, id).expect("an answer"), 3);
    }
    let alone = merge(conn, &fixture.acme, &[1, 2, 3], None, NOW);
    assert!(matches!(alone, Err(StoreError::Invalid(_))), "{alone:?}");
}

#[test]
fn what_would_go_wrong_is_refused() {
    let mut fixture = Fixture::new();
    let conn = &mut fixture.conn;
    let invalid = |result: Result<Merged, StoreError>, text: &str| match result {
        Err(StoreError::Invalid(said)) => assert!(said.contains(text), "{said}"),
        other => panic!("{other:?}"),
    };
    invalid(
        merge(conn, &fixture.acme, &[1, 100], None, NOW),
        "no issue 100",
    );
    invalid(
        merge(conn, &fixture.other, &[1, 100], None, NOW),
        "no issue 1",
    );
    invalid(merge(conn, &fixture.acme, &[], None, NOW), "at least two");
    insert_hash(conn, 1, OVERFLOW);
    invalid(
        merge(conn, &fixture.acme, &[1, 2], None, NOW),
        "collects what is too much",
    );
    // The fixture has taken its numbers without asking.
    dialect::next_ids(conn, "issue", 1_000).expect("numbers");
    diesel::update(projects::table)
        .set(projects::next_short_number.eq(1_000))
        .execute(conn)
        .expect("numbers");
    // While an issue is being split, neither part is merged or split again.
    let (one, other, third) = ([1; 16], [2; 16], [3; 16]);
    for hash in [one, other, third] {
        insert_hash(conn, 3, hash);
    }
    insert_event(conn, 30, 3, Some(one));
    insert_event(conn, 31, 3, Some(other));
    let made = split(conn, &fixture.acme, "3", &[one.to_vec()], NOW).expect("split");
    for ids in [[3, 2], [made.issue_id, 2]] {
        let merged = merge(conn, &fixture.acme, &ids, None, NOW);
        assert!(matches!(merged, Err(StoreError::Conflict(_))), "{merged:?}");
    }
    let again = split(conn, &fixture.acme, "3", &[other.to_vec()], NOW);
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    finish_all(conn, made.issue_id);
    assert_eq!(sums(conn, made.issue_id), (1, 3, 1));
    assert_eq!(sums(conn, 3), (1, 3, 6));
    let foreign = split(conn, &fixture.other, "3", &[other.to_vec()], NOW);
    assert!(matches!(foreign, Err(StoreError::NotFound)), "{foreign:?}");
    split(conn, &fixture.acme, "3", &[other.to_vec()], NOW).expect("split");
}
