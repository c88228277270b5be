//! Envelopes: a JSON header line, then items of a header line and a payload each. In: bytes. Out: the header and the
//! items as slices, or what is wrong. Source: "Envelope grammar" of the Sentry ingestion protocol.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::dsn::Dsn;
use super::event_id::EventId;

/// Longest header line, in bytes.
const MAX_HEADER: usize = 16 * 1024;
/// Most items in one envelope.
pub const MAX_ITEMS: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    #[error("empty envelope")]
    Empty,
    #[error("invalid envelope header: {0}")]
    Header(String),
    #[error("invalid event id in the envelope header")]
    EventId,
    #[error("invalid item header: {0}")]
    ItemHeader(String),
    #[error("item payload is shorter than its length says")]
    Truncated,
    #[error("item payload is not followed by a line break")]
    MissingNewline,
    #[error("an envelope has at most {MAX_ITEMS} items")]
    TooManyItems,
}

/// The first line of an envelope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// None if missing, or the nil id that stands for none.
    pub event_id: Option<EventId>,
    /// When the SDK sent it, by its own clock; an unreadable time is ignored.
    pub sent_at_ms: Option<i64>,
    pub dsn: Option<Dsn>,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<'a> {
    pub kind: String,
    /// What is said of a file.
    pub file: FileNames,
    pub payload: &'a [u8],
}

/// Names of a file, as the header of its item gives them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileNames {
    pub filename: Option<String>,
    pub content_type: Option<String>,
    pub attachment_type: Option<String>,
}

/// Whatever else stands there costs the name and not the envelope.
fn text_or_nothing<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(input)? {
        serde_json::Value::String(text) => Some(text),
        _ => None,
    })
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<'a> {
    pub header: Header,
    pub items: Vec<Item<'a>>,
}

#[derive(Deserialize)]
struct RawHeader {
    #[serde(default)]
    event_id: Option<serde_json::Value>,
    #[serde(default)]
    sent_at: Option<serde_json::Value>,
    #[serde(default)]
    dsn: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct RawItemHeader {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    length: Option<u64>,
    #[serde(default, deserialize_with = "text_or_nothing")]
    filename: Option<String>,
    #[serde(default, deserialize_with = "text_or_nothing")]
    content_type: Option<String>,
    #[serde(default, deserialize_with = "text_or_nothing")]
    attachment_type: Option<String>,
}

impl<'a> Envelope<'a> {
    pub fn parse(bytes: &'a [u8]) -> Result<Self, EnvelopeError> {
        let (line, mut rest) = split_line(bytes);
        if line.is_empty() {
            return Err(EnvelopeError::Empty);
        }
        let header = parse_header(line)?;
        let mut items = Vec::new();
        loop {
            // Some SDKs write blank lines between items and at the end.
            while let [b'\n', tail @ ..] | [b'\r', b'\n', tail @ ..] = rest {
                rest = tail;
            }
            if rest.is_empty() || rest == b"\r" {
                return Ok(Self { header, items });
            }
            if items.len() == MAX_ITEMS {
                return Err(EnvelopeError::TooManyItems);
            }
            let (line, after) = split_line(rest);
            let item = parse_item_header(line)?;
            let payload;
            (payload, rest) = match item.length {
                None => split_line(after),
                Some(length) => split_payload(after, length)?,
            };
            items.push(Item {
                kind: item.kind,
                file: FileNames {
                    filename: item.filename,
                    content_type: item.content_type,
                    attachment_type: item.attachment_type,
                },
                payload,
            });
        }
    }
}

fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'\n', bytes) {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}

fn split_payload(bytes: &[u8], length: u64) -> Result<(&[u8], &[u8]), EnvelopeError> {
    let length = usize::try_from(length).map_err(|_| EnvelopeError::Truncated)?;
    let (payload, rest) = bytes
        .split_at_checked(length)
        .ok_or(EnvelopeError::Truncated)?;
    match rest {
        [] => Ok((payload, rest)),
        [b'\n', rest @ ..] => Ok((payload, rest)),
        _ => Err(EnvelopeError::MissingNewline),
    }
}

fn parse_header(line: &[u8]) -> Result<Header, EnvelopeError> {
    if line.len() > MAX_HEADER {
        return Err(EnvelopeError::Header("the line is too long".into()));
    }
    let raw: RawHeader = object(line).map_err(EnvelopeError::Header)?;
    let event_id = match raw.event_id {
        None | Some(serde_json::Value::Null) => None,
        Some(serde_json::Value::String(text)) => {
            let id: EventId = text.parse().map_err(|_| EnvelopeError::EventId)?;
            (!id.is_nil()).then_some(id)
        }
        Some(_) => return Err(EnvelopeError::EventId),
    };
    let sent_at_ms = match raw.sent_at {
        Some(serde_json::Value::String(text)) => text
            .parse::<Timestamp>()
            .ok()
            .map(Timestamp::as_millisecond),
        _ => None,
    };
    let dsn = match raw.dsn {
        None | Some(serde_json::Value::Null) => None,
        Some(serde_json::Value::String(text)) => Some(
            text.parse()
                .map_err(|_| EnvelopeError::Header("the dsn cannot be read".into()))?,
        ),
        Some(_) => return Err(EnvelopeError::Header("the dsn is no text".into())),
    };
    Ok(Header {
        event_id,
        sent_at_ms,
        dsn,
    })
}

fn parse_item_header(line: &[u8]) -> Result<RawItemHeader, EnvelopeError> {
    if line.len() > MAX_HEADER {
        return Err(EnvelopeError::ItemHeader("the line is too long".into()));
    }
    object(line).map_err(EnvelopeError::ItemHeader)
}

/// Serde would also take a list for a struct, which the protocol does not.
fn object<'de, T: Deserialize<'de>>(line: &'de [u8]) -> Result<T, String> {
    if line.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err("expected a JSON object".into());
    }
    serde_json::from_slice(line).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, EnvelopeError> {
        Envelope::parse(bytes).map(|envelope| {
            envelope
                .items
                .into_iter()
                .map(|item| (item.kind, item.payload.to_vec()))
                .collect()
        })
    }

    #[test]
    fn items_end_by_length_or_by_line() {
        let found = kinds(b"{}\n{\"type\":\"a\",\"length\":3}\n1\n2\n\n{\"type\":\"b\"}\nrest of line\n{\"type\":\"c\",\"length\":0}\n\n{\"type\":\"d\"}\nend");
        let expect = [
            ("a", "1\n2"),
            ("b", "rest of line"),
            ("c", ""),
            ("d", "end"),
        ];
        assert_eq!(
            found,
            Ok(expect
                .map(|(kind, payload)| (kind.to_owned(), payload.as_bytes().to_vec()))
                .to_vec())
        );
    }

    #[test]
    fn broken_envelopes_say_why() {
        assert_eq!(kinds(b""), Err(EnvelopeError::Empty));
        assert!(matches!(kinds(b"[]"), Err(EnvelopeError::Header(_))));
        assert_eq!(
            kinds(b"{\"event_id\":\"xyz\"}"),
            Err(EnvelopeError::EventId)
        );
        assert_eq!(
            kinds(b"{}\n{\"type\":\"a\",\"length\":9}\nshort"),
            Err(EnvelopeError::Truncated)
        );
        assert_eq!(
            kinds(b"{}\n{\"type\":\"a\",\"length\":2}\nlong\n"),
            Err(EnvelopeError::MissingNewline)
        );
        for header in [
            r#"{"length":1}"#,
            r#"{"type":"a","length":-1}"#,
            r#"{"type":"a","length":"1"}"#,
            r#"{"type":"a","length":99999999999999999999999}"#,
        ] {
            assert!(
                matches!(
                    kinds(format!("{{}}\n{header}\nx").as_bytes()),
                    Err(EnvelopeError::ItemHeader(_))
                ),
                "{header}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, tail: Vec<u8>) {
            let _ = Envelope::parse(&bytes);
            let mut framed = b"{}\n{\"type\":\"event\",\"length\":5}\n".to_vec();
            framed.extend_from_slice(&tail);
            let _ = Envelope::parse(&framed);
        }

        #[test]
        fn payloads_come_back_byte_for_byte(payloads: Vec<Vec<u8>>) {
            let mut bytes = b"{}".to_vec();
            for payload in &payloads {
                bytes.extend_from_slice(format!("\n{{\"type\":\"x\",\"length\":{}}}\n", payload.len()).as_bytes());
                bytes.extend_from_slice(payload);
            }
            let envelope = Envelope::parse(&bytes).expect("well formed");
            let found: Vec<Vec<u8>> = envelope.items.iter().map(|item| item.payload.to_vec()).collect();
            prop_assert_eq!(found, payloads);
        }
    }
}
