//! `POST /api/{project}/envelope/`. In: an envelope. Out: its event in the journal and `{"id": …}`; other items are
//! counted. One bad item does not cost the others.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::accept::{self, Sender};
use super::items::{self, Treatment};
use super::reply::{self, Refused};
use super::{Ingest, beside, body, durable, limits, mirrored};
use crate::journal::{Draft, RecordKind};
use crate::mirror::Body;
use crate::protocol::auth::Auth;
use crate::protocol::envelope::{Envelope, EnvelopeError};
use crate::protocol::event_id::EventId;
use crate::protocol::{json, minidump};

pub async fn post(
    request: HttpRequest,
    payload: web::Payload,
    ingest: web::Data<Ingest>,
) -> Result<HttpResponse, Refused> {
    let project = accept::project_in_path(&request)?;
    // A wrong key is refused whatever the body is.
    let known = match known_sender(&request, &ingest, project) {
        Ok(known) => known,
        Err(refused) => {
            body::skip(payload).await;
            return Err(refused);
        }
    };
    let body = match body::read(&request, payload, &ingest.bodies).await {
        Ok(body) => body,
        Err(refused) => {
            if let Some(sender) = &known {
                accept::refused(&request, &ingest, sender, &refused);
            }
            return Err(refused);
        }
    };
    let parsed = Envelope::parse(&body.bytes);
    let sender = match (known, &parsed) {
        (Some(sender), _) => sender,
        // A tunnel passes on envelopes that carry their key inside.
        (None, Ok(envelope)) => match &envelope.header.dsn {
            Some(dsn) => {
                let auth = Auth {
                    public_key: dsn.public_key.clone(),
                    client: String::new(),
                };
                accept::sender(&request, &ingest, auth, project)?
            }
            None => return Err(without_key(&request, &ingest, project)),
        },
        (None, Err(_)) => return Err(without_key(&request, &ingest, project)),
    };
    let kept = match parsed {
        Ok(envelope) => keep(&request, &ingest, &sender, &envelope).await,
        Err(error) => Err(Refused::Envelope(error)),
    };
    match kept {
        Ok(id) => {
            let bytes = Body::Envelope(&body.bytes);
            mirrored::copy(&ingest, &request, sender.project_id, id, bytes);
            Ok(reply::accepted(id, accept::reached(&sender).as_ref()))
        }
        Err(refused) => {
            accept::refused(&request, &ingest, &sender, &refused);
            Err(refused)
        }
    }
}

/// The sender that the request names, if it names one.
fn known_sender(
    request: &HttpRequest,
    ingest: &Ingest,
    project: Option<i64>,
) -> Result<Option<Sender>, Refused> {
    let auth = accept::known_auth(request, ingest, project)?;
    auth.map(|auth| accept::sender(request, ingest, auth, project))
        .transpose()
}

fn without_key(request: &HttpRequest, ingest: &Ingest, project: Option<i64>) -> Refused {
    let nobody = Auth::default();
    accept::stranger(request, ingest, &nobody, project, Refused::MissingAuth)
}

async fn keep(
    request: &HttpRequest,
    ingest: &Ingest,
    sender: &Sender,
    envelope: &Envelope<'_>,
) -> Result<Option<EventId>, Refused> {
    if let Some(dsn) = &envelope.header.dsn {
        accept::check_dsn(sender, dsn)?;
    }
    let mut events = envelope
        .items
        .iter()
        .filter(|item| items::kind(&item.kind).treatment == Treatment::Event);
    let event = events.next();
    if events.next().is_some() {
        return Err(Refused::Malformed(
            "an envelope has at most one event".into(),
        ));
    }
    let mut id = envelope.header.event_id;
    let mut is_limited = false;
    if let Some(event) = event {
        let event_id =
            id.unwrap_or_else(|| id_in_payload(event.payload).unwrap_or_else(EventId::random));
        id = Some(event_id);
        let sent_at_ms = envelope.header.sent_at_ms;
        let kept = match minidump_in(envelope) {
            None => append_event(ingest, sender, event_id, sent_at_ms, event.payload).await,
            Some(dump) => {
                check_event(event.payload)?;
                let crash = Content {
                    kind: RecordKind::Minidump,
                    head: &minidump::encode(event.payload),
                    payload: dump,
                };
                append_record(ingest, sender, event_id, sent_at_ms, &crash).await
            }
        };
        match kept {
            // A limit is on events: the items beside one are kept, and the answer says why the event is not.
            Err(limited @ Refused::Limited(_)) if envelope.items.len() > 1 => {
                accept::refused(request, ingest, sender, &limited);
                is_limited = true;
            }
            kept => kept?,
        }
    }
    let beside = beside::Request {
        event_id: id,
        sent_at_ms: envelope.header.sent_at_ms,
    };
    beside::keep(ingest, sender, envelope, beside, is_limited).await?;
    for item in &envelope.items {
        let kind = items::kind(&item.kind);
        match kind.treatment {
            Treatment::Event | Treatment::Beside => {}
            Treatment::ClientReport => {
                ingest
                    .outcomes
                    .client_report(sender.project_id, sender.key_id, item.payload);
            }
            Treatment::NotKept if item.payload.len() > limits::ATTACHMENT => ingest
                .outcomes
                .too_large(sender.project_id, sender.key_id, kind, 1),
            Treatment::NotKept => {
                ingest
                    .outcomes
                    .not_kept(sender.project_id, sender.key_id, kind, 1);
            }
        }
    }
    Ok(id)
}

/// Puts an event into the journal.
pub(super) async fn append_event(
    ingest: &Ingest,
    sender: &Sender,
    event_id: EventId,
    sent_at_ms: Option<i64>,
    payload: &[u8],
) -> Result<(), Refused> {
    check_event(payload)?;
    let event = Content {
        kind: RecordKind::Event,
        head: &[],
        payload,
    };
    append_record(ingest, sender, event_id, sent_at_ms, &event).await
}

/// What becomes an event.
pub(super) struct Content<'c> {
    pub kind: RecordKind,
    pub head: &'c [u8],
    pub payload: &'c [u8],
}

fn check_event(payload: &[u8]) -> Result<(), Refused> {
    if payload.len() > limits::EVENT {
        return Err(Refused::TooLarge("an event has at most 1 MiB"));
    }
    if payload.is_empty() {
        return Err(Refused::Envelope(EnvelopeError::ItemHeader(
            "the event has no payload".into(),
        )));
    }
    Ok(())
}

/// Puts what becomes an event into the journal, if its limits have room for it.
pub(super) async fn append_record(
    ingest: &Ingest,
    sender: &Sender,
    event_id: EventId,
    sent_at_ms: Option<i64>,
    content: &Content<'_>,
) -> Result<(), Refused> {
    let draft = Draft {
        kind: content.kind,
        project_id: sender.project_id,
        key_id: sender.key_id,
        event_id,
        sent_at_ms,
        remote_addr: sender.remote_addr,
        client: &sender.client,
        head: content.head,
        payload: content.payload,
    };
    accept::admit(sender)?;
    let kept = durable::append(&ingest.journal, &draft).await;
    if kept.is_err() {
        accept::give_back(sender);
    }
    Ok(kept?)
}

/// The minidump among the files of an envelope, if there is one that can be read.
fn minidump_in<'e>(envelope: &Envelope<'e>) -> Option<&'e [u8]> {
    let dump = envelope.items.iter().find(|item| {
        item.kind == "attachment"
            && item.file.attachment_type.as_deref() == Some(minidump::ATTACHMENT_TYPE)
    })?;
    let fits = dump.payload.len() <= limits::ATTACHMENT;
    (fits && dump.payload.starts_with(minidump::MAGIC)).then_some(dump.payload)
}

#[derive(Deserialize)]
struct OnlyId<'a> {
    #[serde(borrow, default)]
    event_id: Option<std::borrow::Cow<'a, str>>,
}

/// The id inside an event, where it is a good one.
pub(super) fn id_in_payload(payload: &[u8]) -> Option<EventId> {
    let id: EventId = match serde_json::from_slice::<OnlyId<'_>>(payload) {
        Ok(found) => found.event_id?.parse().ok()?,
        // Old SDKs write NaN and Infinity, which the event's own parser forgives.
        Err(_) => json::parse(payload)
            .ok()?
            .as_object()?
            .get_str("event_id")?
            .parse()
            .ok()?,
    };
    (!id.is_nil()).then_some(id)
}
