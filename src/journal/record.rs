//! One journal record. In: what a request carried, with its place in the journal. Out: a frame of bytes with a
//! checksum, and back.
//!
//! Frame: magic `u32`, length of the body `u32`, CRC-32 of the journal's number and the body `u32`, then the body. All
//! numbers little-endian.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use crate::protocol::event_id::EventId;

const MAGIC: u32 = 0x314C_4742;
pub(super) const FRAME_HEAD: usize = 12;
/// No record is larger: an attachment has at most 20 MiB.
pub(super) const MAX_BODY: usize = 40 * 1024 * 1024;
const NO_TIME: i64 = i64::MIN;

/// What the payload of a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// Event JSON of an `event` item or the store endpoint.
    Event,
    /// Counts of what became of requests: JSON, see [`crate::ingest::outcome`].
    Outcomes,
    /// A file beside an event: see [`crate::protocol::attachment`].
    Attachment,
    /// Event JSON of a `feedback` item.
    Feedback,
    /// JSON of a `session` or `sessions` item.
    Session,
    /// A crash of a native program: see [`crate::protocol::minidump`].
    Minidump,
    /// JSON of a `user_report` item.
    UserReport,
}

impl RecordKind {
    fn to_byte(self) -> u8 {
        match self {
            Self::Event => 1,
            Self::Outcomes => 2,
            Self::Attachment => 3,
            Self::Feedback => 4,
            Self::Session => 5,
            Self::Minidump => 6,
            Self::UserReport => 7,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Event),
            2 => Some(Self::Outcomes),
            3 => Some(Self::Attachment),
            4 => Some(Self::Feedback),
            5 => Some(Self::Session),
            6 => Some(Self::Minidump),
            7 => Some(Self::UserReport),
            _ => None,
        }
    }
}

/// What ingest hands to the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft<'a> {
    pub kind: RecordKind,
    pub project_id: i64,
    pub key_id: i64,
    pub event_id: EventId,
    pub sent_at_ms: Option<i64>,
    pub remote_addr: Option<IpAddr>,
    /// `name/version` of the SDK, from the auth header.
    pub client: &'a str,
    /// The payload in two parts, so that nobody has to copy a large file behind what is said of it.
    pub head: &'a [u8],
    pub payload: &'a [u8],
}

/// A record as the journal gives it back. Its texts are parts of its bytes, which are read once and copied nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Counts up within one node's journal and is never used again.
    pub seq: u64,
    pub received_ms: i64,
    pub kind: RecordKind,
    pub project_id: i64,
    pub key_id: i64,
    pub event_id: EventId,
    pub sent_at_ms: Option<i64>,
    pub remote_addr: Option<IpAddr>,
    /// The body of the frame, for handing it on.
    pub body: Vec<u8>,
    client: Range<usize>,
}

impl Record {
    /// `name/version` of the SDK; empty if unknown.
    pub fn client(&self) -> &str {
        // Cut at a character's border when it was written; whoever damages it gets nothing.
        std::str::from_utf8(&self.body[self.client.clone()]).unwrap_or_default()
    }

    pub fn payload(&self) -> &[u8] {
        &self.body[self.client.end..]
    }
}

impl Record {
    /// The body of the same record with another payload, and without the address that sent it.
    pub fn with_payload(&self, payload: &[u8]) -> Vec<u8> {
        let draft = Draft {
            kind: self.kind,
            project_id: self.project_id,
            key_id: self.key_id,
            event_id: self.event_id,
            sent_at_ms: self.sent_at_ms,
            remote_addr: None,
            client: self.client(),
            head: &[],
            payload,
        };
        let mut frame = Vec::with_capacity(payload.len() + 128);
        encode(&draft, 0, self.seq, self.received_ms, &mut frame);
        frame.split_off(FRAME_HEAD)
    }
}

/// Appends the frame of a record to `out`.
pub(super) fn encode(draft: &Draft<'_>, node: i64, seq: u64, received_ms: i64, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&MAGIC.to_le_bytes());
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&seq.to_le_bytes());
    out.extend_from_slice(&received_ms.to_le_bytes());
    out.extend_from_slice(&draft.project_id.to_le_bytes());
    out.extend_from_slice(&draft.key_id.to_le_bytes());
    out.push(draft.kind.to_byte());
    out.extend_from_slice(draft.event_id.as_bytes());
    out.extend_from_slice(&draft.sent_at_ms.unwrap_or(NO_TIME).to_le_bytes());
    match draft.remote_addr {
        None => out.push(0),
        Some(IpAddr::V4(address)) => {
            out.push(4);
            out.extend_from_slice(&address.octets());
        }
        Some(IpAddr::V6(address)) => {
            out.push(16);
            out.extend_from_slice(&address.octets());
        }
    }
    let mut client_length = draft.client.len().min(255);
    while !draft.client.is_char_boundary(client_length) {
        client_length -= 1;
    }
    out.push(client_length as u8);
    out.extend_from_slice(&draft.client.as_bytes()[..client_length]);
    out.extend_from_slice(draft.head);
    out.extend_from_slice(draft.payload);
    let body = start + FRAME_HEAD;
    let length = (out.len() - body) as u32;
    let checksum = checksum(node, &out[body..]);
    out[start + 4..start + 8].copy_from_slice(&length.to_le_bytes());
    out[start + 8..start + 12].copy_from_slice(&checksum.to_le_bytes());
}

/// The checksum of a body. The journal's number, which no sender knows, is part of it: where damage makes the reader look
/// for the next frame inside a payload, it must not find one that somebody put there.
pub(super) fn checksum(node: i64, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&node.to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}

/// The length of the body that a frame's head announces, with its checksum; none if this is no frame.
pub(super) fn decode_head(head: &[u8]) -> Option<(usize, u32)> {
    let word = |at: usize| Some(u32::from_le_bytes(head.get(at..at + 4)?.try_into().ok()?));
    let length = word(4)? as usize;
    (word(0)? == MAGIC && length <= MAX_BODY).then_some((length, word(8)?))
}

/// Where the next frame may begin after damage.
pub(super) fn find_magic(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, &MAGIC.to_le_bytes())
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<i64> {
        Some(i64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }
}

/// Reads a body whose checksum was right; none if a later version wrote it.
pub(crate) fn decode_body(body: Vec<u8>) -> Option<Record> {
    let mut cursor = Cursor(&body);
    let seq = cursor.number()? as u64;
    let received_ms = cursor.number()?;
    let project_id = cursor.number()?;
    let key_id = cursor.number()?;
    let kind = RecordKind::from_byte(cursor.byte()?)?;
    let event_id = EventId::from_bytes(cursor.take(16)?.try_into().ok()?);
    let sent_at_ms = Some(cursor.number()?).filter(|time| *time != NO_TIME);
    let remote_addr = match cursor.byte()? {
        0 => None,
        4 => Some(IpAddr::V4(Ipv4Addr::from(
            <[u8; 4]>::try_from(cursor.take(4)?).ok()?,
        ))),
        16 => Some(IpAddr::V6(Ipv6Addr::from(
            <[u8; 16]>::try_from(cursor.take(16)?).ok()?,
        ))),
        _ => return None,
    };
    let client_length = cursor.byte()? as usize;
    let client_end = body.len() - (cursor.0.len().checked_sub(client_length)?);
    Some(Record {
        seq,
        received_ms,
        kind,
        project_id,
        key_id,
        event_id,
        sent_at_ms,
        remote_addr,
        client: client_end - client_length..client_end,
        body,
    })
}

/// The sequence number and project of a body, without reading the rest.
pub(super) fn peek(body: &[u8]) -> Option<(u64, i64)> {
    let mut cursor = Cursor(body);
    let seq = cursor.number()? as u64;
    cursor.number()?;
    Some((seq, cursor.number()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_record_comes_back_as_it_went_in(seq: u64, received in 0i64..i64::MAX, project: i64, id: [u8; 16], sent: Option<u32>,
                                             client in ".{0,80}", payload: Vec<u8>, address: Option<std::net::IpAddr>) {
            let draft = Draft {
                kind: RecordKind::Event, project_id: project, key_id: 7, event_id: EventId::from_bytes(id),
                sent_at_ms: sent.map(i64::from), remote_addr: address, client: &client, head: &payload[..payload.len() / 2], payload: &payload[payload.len() / 2..],
            };
            let mut frame = b"before".to_vec();
            encode(&draft, 77, seq, received, &mut frame);
            let frame = &frame[6..];
            let (length, found) = decode_head(frame).expect("a frame");
            let body = &frame[FRAME_HEAD..];
            prop_assert_eq!(length, body.len());
            prop_assert_eq!(found, checksum(77, body));
            prop_assert!(found != checksum(78, body), "another journal's frame is none of ours");
            prop_assert_eq!(peek(body), Some((seq, project)));
            let record = decode_body(body.to_vec()).expect("a body");
            prop_assert_eq!(record.payload(), payload);
            prop_assert!(client.starts_with(record.client()));
            prop_assert!(client.len() > 255 || client == record.client());
            prop_assert_eq!((record.seq, record.received_ms, record.remote_addr), (seq, received, address));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = decode_head(&bytes);
            let _ = peek(&bytes);
            if let Some(record) = decode_body(bytes) {
                let _ = (record.client(), record.payload());
            }
        }
    }
}
