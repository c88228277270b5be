//! The rows of issues. In: placed events. Out: each issue of the batch brought up to date by one statement: what its
//! newest event says of it, its counts, and how much of it is kept.

use std::collections::{BTreeMap, HashMap};

use super::place::{Placed, Placement};
use crate::model::issue::State;
use crate::model::names::fit;
use crate::store::dialect::{Bind, Change, Upsert, upsert_rows};
use crate::store::{Conn, StoreError};

const COLUMNS: &[&str] = &[
    "id",
    "organization_id",
    "project_id",
    "short_number",
    "kind",
    "level",
    "platform",
    "title",
    "title_type",
    "title_value",
    "culprit",
    "location",
    "logger",
    "status",
    "substatus",
    "status_changed_at",
    "first_seen",
    "last_seen",
    "times_seen",
    "users_seen",
    "first_release",
    "last_release",
    "is_unhandled",
    "regressions",
    "stored_events",
    "stored_bytes",
    "sampled_events",
    "sampled_at",
    "flood_minute",
    "flood_events",
];

/// The newest event speaks for its issue. `last_seen` comes last: the others look at its old value.
const PLAN: Upsert = Upsert {
    table: "issues",
    columns: COLUMNS,
    key: &["id"],
    changes: &[
        ("kind", Change::IfNewer("last_seen")),
        ("level", Change::IfNewer("last_seen")),
        ("platform", Change::IfNewer("last_seen")),
        ("title", Change::IfNewer("last_seen")),
        ("title_type", Change::IfNewer("last_seen")),
        ("title_value", Change::IfNewer("last_seen")),
        ("culprit", Change::IfNewer("last_seen")),
        ("location", Change::IfNewer("last_seen")),
        ("logger", Change::IfNewer("last_seen")),
        ("is_unhandled", Change::IfNewer("last_seen")),
        ("last_release", Change::IfNewer("last_seen")),
        ("first_release", Change::IfAbsent),
        ("first_seen", Change::Min),
        ("times_seen", Change::Add),
        ("users_seen", Change::Add),
        ("stored_events", Change::Add),
        ("stored_bytes", Change::Add),
        ("sampled_events", Change::Add),
        ("sampled_at", Change::Max),
        ("flood_minute", Change::Replace),
        ("flood_events", Change::Replace),
        ("last_seen", Change::Max),
    ],
};

/// How the issue is called that takes what is too much; see `place`.
const OVERFLOW_TITLE: &str = "Too many new issues";
const OVERFLOW_VALUE: &str =
    "they come in a flood, so events with unknown fingerprints are collected here until it is over";

/// Writes the issues of a batch. `new_users` says how many users each issue had not had before.
pub(super) fn bring_up_to_date(
    conn: &mut Conn,
    placement: &Placement<'_>,
    new_users: &HashMap<i64, i64>,
) -> Result<(), StoreError> {
    let mut by_issue = BTreeMap::<i64, Vec<&Placed<'_>>>::new();
    for event in &placement.events {
        by_issue.entry(event.issue_id).or_default().push(event);
    }
    let overflow_title = format!("{OVERFLOW_TITLE}: {OVERFLOW_VALUE}");
    let mut rows = Vec::with_capacity(by_issue.len());
    for (issue_id, events) in &by_issue {
        let newest = events
            .iter()
            .max_by_key(|event| event.new.event.timestamp_ms)
            .expect("an issue of the batch has events");
        let oldest = events
            .iter()
            .map(|event| event.new.event.timestamp_ms)
            .min()
            .unwrap_or_default();
        let first_release = events
            .iter()
            .find_map(|event| event.new.event.release.as_deref());
        let kept = events.iter().filter(|event| event.kept);
        let (stored_events, stored_bytes) = kept.fold((0, 0), |(events, bytes), event| {
            (events + 1, bytes + event.new.item.data.len() as i64)
        });
        let sampled_at = events
            .iter()
            .filter(|event| !event.kept)
            .map(|event| event.new.item.received_ms)
            .max()
            .unwrap_or(0);
        let flood = placement.floods.get(issue_id).copied().unwrap_or_default();
        let event = newest.new.event;
        let (title, title_type, title_value, culprit, location) = if newest.overflow {
            (
                overflow_title.as_str(),
                OVERFLOW_TITLE,
                OVERFLOW_VALUE,
                "",
                "",
            )
        } else {
            (
                fit(&event.title, 500),
                fit(&event.title_type, 290),
                fit(&event.title_value, 290),
                fit(&event.culprit, 250),
                fit(&event.location, 290),
            )
        };
        rows.push(vec![
            Bind::I64(*issue_id),
            Bind::I64(
                placement
                    .organizations
                    .get(&newest.new.item.project_id)
                    .copied()
                    .ok_or(StoreError::NotFound)?,
            ),
            Bind::I64(newest.new.item.project_id),
            Bind::I64(newest.short_number),
            Bind::Str(event.kind.as_str()),
            Bind::I32(event.level.as_i32()),
            Bind::Str(fit(&event.platform, 64)),
            Bind::Str(title),
            Bind::Str(title_type),
            Bind::Str(title_value),
            Bind::Str(culprit),
            Bind::Str(location),
            Bind::OptStr(event.logger.as_deref().map(|logger| fit(logger, 64))),
            Bind::I32(State::NEW.status.code()),
            Bind::I32(State::NEW.substatus.code()),
            Bind::I64(newest.new.item.received_ms),
            Bind::I64(oldest),
            Bind::I64(event.timestamp_ms),
            Bind::I64(events.len() as i64),
            Bind::I64(new_users.get(issue_id).copied().unwrap_or(0)),
            Bind::OptStr(first_release),
            Bind::OptStr(event.release.as_deref()),
            Bind::Bool(event.handled == Some(false)),
            Bind::I32(0),
            Bind::I64(stored_events),
            Bind::I64(stored_bytes),
            Bind::I64(events.len() as i64 - stored_events),
            Bind::I64(sampled_at),
            Bind::I64(flood.minute),
            Bind::I64(flood.events),
        ]);
    }
    upsert_rows(conn, &PLAN, &rows)
}
