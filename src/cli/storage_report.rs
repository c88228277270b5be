//! The storage part of `bugle doctor`. In: what is stored and its limits. Out: lines of text.

use crate::config::RetentionLimits;
use crate::model::size::bytes;
use crate::model::thinning::ROW_BYTES;
use crate::store::storage::Storage;
use crate::store::{Backend, Store, StoreError, storage};

/// Issues that are named.
const TOP: i64 = 10;
/// An `SQLite` file up to this size is read as a whole to measure its tables: some seconds.
const MOST_READ: i64 = 1024 * 1024 * 1024;

/// Reads what is stored.
pub(super) fn read(store: &Store) -> Result<Storage, StoreError> {
    store.read_blocking(|conn| storage::report(conn, TOP, MOST_READ))
}

/// One line, or what is wrong: more is kept than the limit allows and a run cannot be late by that much.
pub(super) fn summary(storage: &Storage, limits: RetentionLimits) -> Result<String, String> {
    let kept = storage.kept.size();
    let mut text = format!(
        "{} database, {} of {} events kept, {} with their rows and indexes",
        bytes(storage.database),
        storage.kept.events,
        storage.seen,
        bytes(kept)
    );
    if let Some(free) = storage.free.filter(|free| *free > 0) {
        text.push_str(", ");
        text.push_str(&bytes(free));
        text.push_str(" free inside for new ones");
    }
    if limits.bytes == 0 {
        return Ok(text);
    }
    text.push_str(" of at most ");
    text.push_str(&bytes(limits.bytes));
    if kept > limits.bytes + limits.bytes / 10 {
        return Err(format!(
            "{text}; `bugle retention` thins now and says why if it cannot"
        ));
    }
    Ok(text)
}

/// The tables of the report, indented below their line.
pub(super) fn details(storage: &Storage) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(at) = storage.oldest_ms {
        let oldest = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
        lines.push(format!(
            "oldest event kept: received {}",
            oldest.strftime("%Y-%m-%d %H:%M UTC")
        ));
    }
    if let Some(sample) = storage.compression {
        lines.push(format!(
            "payloads: {} of JSON become {}, {:.1} times less (the latest {} events)",
            bytes(sample.json / sample.events),
            bytes(sample.stored / sample.events),
            sample.json as f64 / sample.stored.max(1) as f64,
            sample.events
        ));
    }
    lines.push(format!(
        "by project (payloads and {ROW_BYTES} bytes for each event's row and index entries):"
    ));
    for project in &storage.projects {
        let keeps = &project.keeps;
        let own = [
            keeps
                .events_limit
                .map(|limit| format!("own limit {limit} events")),
            keeps
                .bytes_limit
                .map(|limit| format!("own limit {}", bytes(limit))),
        ];
        let own: Vec<String> = own.into_iter().flatten().collect();
        lines.push(row(
            keeps.kept.size(),
            keeps.kept.events,
            keeps.seen,
            &format!(
                "{}/{}{}{}",
                project.organization,
                project.slug,
                if own.is_empty() { "" } else { "  " },
                own.join(", ")
            ),
        ));
    }
    lines.push("by issue:".to_owned());
    for issue in &storage.issues {
        lines.push(row(
            issue.kept.size(),
            issue.kept.events,
            issue.seen,
            &format!("{}  {}", issue.short_id, clip(&issue.title)),
        ));
    }
    lines.push("by table:".to_owned());
    match &storage.tables {
        Some(tables) => {
            for table in tables {
                lines.push(format!("  {:>10}  {}", bytes(table.bytes), table.name));
            }
        }
        None => lines.push(format!(
            "  not measured: the file is larger than {} and would have to be read",
            bytes(MOST_READ)
        )),
    }
    if storage.backend == Backend::Mysql {
        lines.push("  (the server's estimates)".to_owned());
    }
    lines
}

fn row(size: i64, kept: i64, seen: i64, name: &str) -> String {
    let size = bytes(size);
    format!("  {size:>10}  {kept:>10} of {seen:>10} events  {name}")
}

/// The beginning of a title, on one line.
fn clip(title: &str) -> String {
    title
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(60)
        .collect()
}
