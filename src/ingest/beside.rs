//! What comes beside events: attachments, feedback, sessions. In: the items of an envelope. Out: their records in the journal; what is too
//! large or too much is counted, and costs the others nothing.

use futures_util::future::try_join_all;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::accept::Sender;
use super::envelope::id_in_payload;
use super::items::{self, ItemKind, Treatment};
use super::reply::Refused;
use super::{Ingest, durable, limits};
use crate::journal::{Draft, RecordKind};
use crate::protocol::attachment::{self, Head};
use crate::protocol::envelope::{Envelope, Item};
use crate::protocol::event_id::EventId;

/// What the request says of all its items.
#[derive(Clone, Copy)]
pub struct Request {
    /// Attachments belong to this event.
    pub event_id: Option<EventId>,
    pub sent_at_ms: Option<i64>,
}

/// How many items of a kind one envelope may have.
struct Allowance {
    attachments: usize,
    sessions: usize,
    feedback: usize,
    user_reports: usize,
}

impl Allowance {
    const fn new() -> Self {
        Self {
            attachments: limits::ATTACHMENTS,
            sessions: limits::SESSIONS,
            feedback: 1,
            user_reports: 1,
        }
    }

    /// Takes one of a record's kind, if one is left.
    fn take(&mut self, kind: RecordKind) -> bool {
        let left = match kind {
            RecordKind::Attachment => &mut self.attachments,
            RecordKind::Feedback => &mut self.feedback,
            RecordKind::UserReport => &mut self.user_reports,
            _ => &mut self.sessions,
        };
        let is_left = *left > 0;
        *left = left.saturating_sub(1);
        is_left
    }
}

fn record_kind(item: &str) -> RecordKind {
    match item {
        "attachment" => RecordKind::Attachment,
        "feedback" => RecordKind::Feedback,
        "user_report" => RecordKind::UserReport,
        _ => RecordKind::Session,
    }
}

const fn most_bytes(kind: RecordKind) -> usize {
    match kind {
        RecordKind::Attachment => limits::ATTACHMENT,
        RecordKind::Session => limits::SESSION,
        _ => limits::EVENT,
    }
}

/// Puts the items of an envelope that are kept beside events into the journal. Where its event came over a limit, its attachments go
/// with it.
pub async fn keep(
    ingest: &Ingest,
    sender: &Sender,
    envelope: &Envelope<'_>,
    request: Request,
    is_event_limited: bool,
) -> Result<(), Refused> {
    let mut allowance = Allowance::new();
    let mut small = Vec::new();
    let (mut files, mut limited) = (Vec::new(), 0);
    for item in &envelope.items {
        let kind = items::kind(&item.kind);
        if kind.treatment != Treatment::Beside {
            continue;
        }
        let record = record_kind(kind.name);
        if item.payload.len() > most_bytes(record) || !allowance.take(record) {
            ingest
                .outcomes
                .too_large(sender.project_id, sender.key_id, kind, 1);
        } else if record != RecordKind::Attachment {
            small.push((record, item));
        } else if is_event_limited {
            limited += 1;
        } else if let Some(event_id) = request.event_id {
            files.push((event_id, item));
        } else {
            no_event(ingest, sender, kind);
        }
    }
    if limited > 0 {
        let kind = items::kind("attachment");
        ingest
            .outcomes
            .without_event(sender.project_id, sender.key_id, kind, limited);
    }
    let small = small.into_iter().map(|(kind, item)| {
        let id = match kind {
            // What it is known by, should it come again.
            RecordKind::Feedback | RecordKind::UserReport => {
                request.event_id.or_else(|| id_in_payload(item.payload))
            }
            _ => None,
        };
        let id = id.unwrap_or_else(EventId::random);
        append(ingest, sender, kind, id, request.sent_at_ms, item.payload)
    });
    try_join_all(small).await?;
    for (event_id, item) in files {
        attach(ingest, sender, event_id, &head(item), item.payload).await?;
    }
    Ok(())
}

fn no_event(ingest: &Ingest, sender: &Sender, kind: &'static ItemKind) {
    ingest
        .outcomes
        .invalid(sender.project_id, sender.key_id, kind, "no_event");
}

fn head(item: &Item<'_>) -> Head {
    let names = &item.file;
    Head::new(
        names.filename.as_deref(),
        names.content_type.as_deref(),
        names.attachment_type.as_deref(),
    )
}

/// Large files that are on their way into the journal at once: each is copied there, and the journal takes only so much that waits for the
/// disk.
static LARGE: Semaphore = Semaphore::const_new(1);
const IS_LARGE: usize = 1024 * 1024;

/// The turn of a file: large ones wait for each other.
pub async fn turn(size: usize) -> Result<Option<SemaphorePermit<'static>>, Refused> {
    if size < IS_LARGE {
        return Ok(None);
    }
    let turn = LARGE.acquire().await;
    turn.map(Some).map_err(|_| Refused::Overloaded)
}

/// Puts a file that belongs to an event into the journal.
pub async fn attach(
    ingest: &Ingest,
    sender: &Sender,
    event_id: EventId,
    head: &Head,
    file: &[u8],
) -> Result<(), Refused> {
    let _turn = turn(file.len()).await?;
    let draft = Draft {
        head: &attachment::encode(head),
        ..draft(sender, RecordKind::Attachment, event_id, file)
    };
    Ok(durable::append(&ingest.journal, &draft).await?)
}

fn draft<'a>(
    sender: &'a Sender,
    kind: RecordKind,
    event_id: EventId,
    payload: &'a [u8],
) -> Draft<'a> {
    Draft {
        kind,
        project_id: sender.project_id,
        key_id: sender.key_id,
        event_id,
        sent_at_ms: None,
        remote_addr: sender.remote_addr,
        client: &sender.client,
        head: &[],
        payload,
    }
}

async fn append(
    ingest: &Ingest,
    sender: &Sender,
    kind: RecordKind,
    event_id: EventId,
    sent_at_ms: Option<i64>,
    payload: &[u8],
) -> Result<(), Refused> {
    let draft = Draft {
        sent_at_ms,
        ..draft(sender, kind, event_id, payload)
    };
    Ok(durable::append(&ingest.journal, &draft).await?)
}
