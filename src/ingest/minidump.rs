//! `POST /api/{project}/minidump/`: the crash of a native program. In: a form with the dump, what is known of the event and other files; or the
//! dump alone. Out: all of it in the journal, and the event's id as text.

use std::io::Read as _;

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::accept::{self, Sender};
use super::attachments::{Part, parts};
use super::envelope::{Content, append_record, id_in_payload};
use super::reply::{self, Refused};
use super::{Ingest, beside, body, limits};
use crate::journal::RecordKind;
use crate::protocol::attachment::Head;
use crate::protocol::event_id::EventId;
use crate::protocol::minidump::{ATTACHMENT_TYPE, MAGIC, encode};

const FIELD: &str = "upload_file_minidump";
/// What `sentry-native` sends beside a dump, as `MessagePack`.
const EVENT: &str = "__sentry-event";
const BREADCRUMBS: [&str; 2] = ["__sentry-breadcrumb1", "__sentry-breadcrumb2"];
const MOST_BREADCRUMBS: usize = 100;

/// A crash as it was sent.
struct Crash {
    event: Map<String, Value>,
    dump: Vec<u8>,
    /// The name of its file.
    dump_name: String,
    files: Vec<(Head, Vec<u8>)>,
}

pub async fn post(
    request: HttpRequest,
    payload: web::Payload,
    ingest: web::Data<Ingest>,
) -> Result<HttpResponse, Refused> {
    let sender = accept::sender_of_request(&request, &ingest)?;
    let kept = async {
        let body = body::read(&request, payload, &ingest.bodies).await?;
        let crash = read(&request, body.bytes.clone()).await?;
        keep(&request, &ingest, &sender, crash).await
    };
    match kept.await {
        Ok(id) => {
            let mut response = HttpResponse::Ok();
            reply::open_to_browsers(&mut response);
            Ok(response.content_type("text/plain").body(id.hyphenated()))
        }
        Err(refused) => {
            accept::refused(&request, &ingest, &sender, &refused);
            Err(refused)
        }
    }
}

async fn read(request: &HttpRequest, body: Bytes) -> Result<Crash, Refused> {
    let media_type = request.headers().get(header::CONTENT_TYPE);
    let is_form = media_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(|text| text.trim_start().starts_with("multipart/"));
    let mut crash = Crash {
        event: Map::new(),
        dump: Vec::new(),
        dump_name: "minidump.dmp".to_owned(),
        files: Vec::new(),
    };
    if is_form {
        let mut chunks = Vec::new();
        for part in parts(request, body).await? {
            take(&mut crash, &mut chunks, part);
        }
        chunks.sort_by_key(|(number, _)| *number);
        let whole: Vec<u8> = chunks.into_iter().flat_map(|(_, bytes)| bytes).collect();
        merge(&mut crash.event, &whole);
    } else {
        crash.dump = body.to_vec();
    }
    crash.dump = unpacked(crash.dump)?;
    if !crash.dump.starts_with(MAGIC) {
        return Err(Refused::Malformed(format!(
            "no minidump: the form has to have a file {FIELD}, which begins with MDMP"
        )));
    }
    if crash.dump.len() > limits::ATTACHMENT {
        return Err(Refused::TooLarge("a minidump has at most 20 MiB"));
    }
    Ok(crash)
}

/// Takes a field of the form. `chunks` gathers those of an event that was cut into pieces.
fn take(crash: &mut Crash, chunks: &mut Vec<(u32, Vec<u8>)>, part: Part) {
    let name = part.name.as_str();
    if name == FIELD {
        crash.dump = part.bytes;
        if let Some(head) = part.file {
            crash.dump_name = head.name;
        }
    } else if name == EVENT {
        if let Ok(Value::Object(event)) = rmp_serde::from_slice(&part.bytes) {
            fill(&mut crash.event, event);
        }
    } else if BREADCRUMBS.contains(&name) {
        add_breadcrumbs(&mut crash.event, &part.bytes);
    } else if name == "sentry" {
        merge(&mut crash.event, &part.bytes);
    } else if let Some(number) = name.strip_prefix("sentry__") {
        if let Ok(number) = number.parse() {
            chunks.push((number, part.bytes));
        }
    } else if let Some(path) = name.strip_prefix("sentry[") {
        set(&mut crash.event, path, &part.bytes);
    } else if let Some(head) = part.file {
        crash.files.push((head, part.bytes));
    } else if !name.is_empty() {
        let extra = crash
            .event
            .entry("extra")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(extra) = extra {
            let text = String::from_utf8_lossy(&part.bytes).into_owned();
            extra.insert(name.to_owned(), Value::String(text));
        }
    }
}

/// Event JSON over what is known already.
fn merge(event: &mut Map<String, Value>, json: &[u8]) {
    if let Ok(Value::Object(more)) = serde_json::from_slice(json) {
        event.extend(more);
    }
}

/// What is not known yet.
fn fill(event: &mut Map<String, Value>, more: Map<String, Value>) {
    for (name, value) in more {
        event.entry(name).or_insert(value);
    }
}

/// `sentry[tags][edition]`: a text at a place of the event.
fn set(event: &mut Map<String, Value>, path: &str, bytes: &[u8]) {
    const DEEPEST: usize = 8;
    let names: Vec<&str> = path
        .trim_end_matches(']')
        .split("][")
        .take(DEEPEST)
        .collect();
    let Some((last, parents)) = names.split_last() else {
        return;
    };
    let mut place = event;
    for name in parents {
        let next = place
            .entry(*name)
            .or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(next) = next else { return };
        place = next;
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    place.insert((*last).to_owned(), Value::String(text));
}

/// Breadcrumbs one after the other.
fn add_breadcrumbs(event: &mut Map<String, Value>, bytes: &[u8]) {
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    let crumbs = event
        .entry("breadcrumbs")
        .or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(crumbs) = crumbs else { return };
    while crumbs.len() < MOST_BREADCRUMBS {
        match Value::deserialize(&mut reader) {
            Ok(crumb @ Value::Object(_)) => crumbs.push(crumb),
            _ => return,
        }
    }
}

/// Some senders pack the dump alone.
fn unpacked(dump: Vec<u8>) -> Result<Vec<u8>, Refused> {
    if !dump.starts_with(&[0x1f, 0x8b]) {
        return Ok(dump);
    }
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(dump.as_slice())
        .take(limits::ATTACHMENT as u64 + 1)
        .read_to_end(&mut plain)
        .map_err(|_| Refused::Malformed("the minidump cannot be unpacked".into()))?;
    Ok(plain)
}

async fn keep(
    request: &HttpRequest,
    ingest: &Ingest,
    sender: &Sender,
    crash: Crash,
) -> Result<EventId, Refused> {
    let event = serde_json::to_vec(&Value::Object(crash.event)).expect("a tree of plain values");
    if event.len() > limits::EVENT {
        return Err(Refused::TooLarge("an event has at most 1 MiB"));
    }
    let id = id_in_payload(&event).unwrap_or_else(EventId::random);
    let content = Content {
        kind: RecordKind::Minidump,
        head: &encode(&event),
        payload: &crash.dump,
    };
    let turn = beside::turn(crash.dump.len()).await?;
    match append_record(ingest, sender, id, None, &content).await {
        // These clients would send it again at once.
        Err(limited @ Refused::Limited(_)) => {
            accept::refused(request, ingest, sender, &limited);
            return Ok(id);
        }
        kept => kept?,
    }
    drop(turn);
    let media_type = Some("application/octet-stream");
    let dump = Head::new(Some(&crash.dump_name), media_type, Some(ATTACHMENT_TYPE));
    beside::attach(ingest, sender, id, &dump, &crash.dump).await?;
    for (head, bytes) in crash.files {
        if bytes.len() > limits::ATTACHMENT {
            let kind = super::items::kind("attachment");
            ingest
                .outcomes
                .too_large(sender.project_id, sender.key_id, kind, 1);
            continue;
        }
        beside::attach(ingest, sender, id, &head, &bytes).await?;
    }
    Ok(id)
}
