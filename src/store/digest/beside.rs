//! Rows of what came beside events. In: attachments, whose bytes are in the blob store already, and feedback. Out: a row for each, of
//! feedback one for each of its numbers.

use std::collections::{BTreeMap, HashMap};

use super::Item;
use crate::process::feedback::Feedback;
use crate::protocol::attachment::Head;
use crate::store::attachments::State;
use crate::store::dialect::{self, Bind, Change, Upsert, insert_missing, upsert_rows};
use crate::store::{Conn, StoreError, now_ms};

/// A file whose bytes are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttachment {
    pub event_id: [u8; 16],
    pub head: Head,
    pub size: u64,
    pub blob_key: String,
}

/// Writes attachments.
pub(super) fn add_attachments<'a>(
    conn: &mut Conn,
    files: impl Iterator<Item = (&'a Item, &'a NewAttachment)>,
) -> Result<(), StoreError> {
    let mut files: Vec<_> = files.collect();
    // Numbered as they came, which is how lists show them; written in the order of their keys.
    files.sort_by_key(|(item, _)| (item.received_ms, item.seq));
    let mut files: Vec<_> = files.into_iter().enumerate().collect();
    files.sort_by(|(_, (_, left)), (_, (_, right))| left.blob_key.cmp(&right.blob_key));
    files.dedup_by(|(_, (_, left)), (_, (_, right))| left.blob_key == right.blob_key);
    if files.is_empty() {
        return Ok(());
    }
    let now = now_ms();
    let count = files
        .iter()
        .map(|(at, _)| *at as i64 + 1)
        .max()
        .unwrap_or(0);
    let first = dialect::next_ids(conn, "attachment", count)?;
    let rows: Vec<Vec<Bind<'_>>> = files
        .iter()
        .map(|(at, (item, file))| {
            vec![
                Bind::I64(first + *at as i64),
                Bind::I64(item.project_id),
                Bind::Slice(&file.event_id),
                Bind::Str(&file.head.name),
                Bind::OptStr(file.head.content_type.as_deref()),
                Bind::Str(&file.head.kind),
                Bind::I64(file.size as i64),
                Bind::Str(&file.blob_key),
                Bind::I32(State::New.code()),
                Bind::I64(item.received_ms),
                Bind::I64(now),
            ]
        })
        .collect();
    let columns = [
        "id",
        "project_id",
        "event_id",
        "name",
        "content_type",
        "kind",
        "size",
        "blob_key",
        "state",
        "received_at",
        "created_at",
    ];
    // The same file of the same event has the same key.
    insert_missing(conn, "attachments", &columns, &rows)
}

const FEEDBACK: Upsert = Upsert {
    table: "feedback",
    columns: &[
        "id",
        "project_id",
        "feedback_id",
        "event_id",
        "source",
        "name",
        "email",
        "message",
        "url",
        "release_name",
        "environment",
        "state",
        "created_at",
    ],
    key: &["project_id", "feedback_id"],
    changes: &[
        ("name", Change::Replace),
        ("email", Change::Replace),
        ("message", Change::Replace),
        ("url", Change::Replace),
        ("release_name", Change::Replace),
        ("environment", Change::Replace),
        // What was written anew is to be read anew.
        ("state", Change::Replace),
    ],
};

/// Writes feedback; what is there under the same number says what was said last.
pub(super) fn add_feedback<'a>(
    conn: &mut Conn,
    feedback: impl Iterator<Item = (&'a Item, &'a Feedback)>,
) -> Result<(), StoreError> {
    // The last of those that came under the same number, which an upsert may name once.
    let latest: BTreeMap<_, _> = feedback
        .map(|(item, feedback)| {
            let key = (item.project_id, *feedback.id.as_bytes());
            (key, (item, feedback))
        })
        .collect();
    if latest.is_empty() {
        return Ok(());
    }
    let first = dialect::next_ids(conn, "feedback", latest.len() as i64)?;
    // Numbered as they came, which is how lists show them; written in the order of their keys.
    let mut order: Vec<_> = latest
        .iter()
        .map(|(key, (item, _))| (item.received_ms, item.seq, *key))
        .collect();
    order.sort_unstable();
    let numbers: HashMap<_, i64> = order
        .into_iter()
        .zip(first..)
        .map(|((_, _, key), number)| (key, number))
        .collect();
    let rows: Vec<Vec<Bind<'_>>> = latest
        .iter()
        .map(|(key, (item, feedback))| {
            vec![
                Bind::I64(numbers[key]),
                Bind::I64(item.project_id),
                Bind::Slice(feedback.id.as_bytes()),
                Bind::Slice(match &feedback.event_id {
                    Some(event_id) => event_id.as_bytes(),
                    None => &[],
                }),
                Bind::Str(feedback.source.as_str()),
                Bind::Str(&feedback.name),
                Bind::Str(&feedback.email),
                Bind::Str(&feedback.message),
                Bind::Str(&feedback.url),
                Bind::OptStr(feedback.release.as_deref()),
                Bind::OptStr(feedback.environment.as_deref()),
                Bind::I32(0),
                Bind::I64(item.received_ms),
            ]
        })
        .collect();
    upsert_rows(conn, &FEEDBACK, &rows)
}
