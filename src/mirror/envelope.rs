//! The copy itself. In: an envelope or an event, and the DSN it goes to. Out: an envelope that names that DSN.

use std::io::Write as _;

use serde_json::{Map, Value, json};

use crate::protocol::dsn::Dsn;
use crate::protocol::event_id::EventId;

/// Whether an event belongs to the share of so many percent: the same event always does or never, on every node.
/// An envelope without an id is judged by its bytes.
pub(super) fn is_chosen(event_id: Option<EventId>, bytes: &[u8], percent: u8) -> bool {
    if percent >= 100 {
        return true;
    }
    // Ids are random by rule, but a sender may choose them: a checksum spreads all of them.
    let checksum = match event_id {
        Some(id) => crc32fast::hash(id.as_bytes()),
        None => crc32fast::hash(bytes),
    };
    checksum % 100 < u32::from(percent)
}

/// The envelope with the target in its header; none where there is no header to be read.
pub(super) fn readdressed(envelope: &[u8], target: &Dsn) -> Option<Vec<u8>> {
    let (line, items) = match memchr::memchr(b'\n', envelope) {
        Some(end) => (&envelope[..end], &envelope[end..]),
        None => (envelope, &[][..]),
    };
    let mut header: Map<String, Value> = serde_json::from_slice(line).ok()?;
    header.insert("dsn".to_owned(), json!(target.to_string()));
    // The key of the project that a trace began in: there it is the target's.
    if let Some(Value::Object(trace)) = header.get_mut("trace")
        && trace.contains_key("public_key")
    {
        trace.insert("public_key".to_owned(), json!(target.public_key));
    }
    let mut copy = serde_json::to_vec(&header).ok()?;
    copy.extend_from_slice(items);
    Some(copy)
}

/// An event of the old endpoints as an envelope.
pub(super) fn enveloped(event: &[u8], event_id: Option<EventId>, target: &Dsn) -> Vec<u8> {
    let mut header = Map::new();
    if let Some(id) = event_id {
        header.insert("event_id".to_owned(), json!(id.to_string()));
    }
    header.insert("dsn".to_owned(), json!(target.to_string()));
    let item = json!({ "type": "event", "length": event.len() });
    let mut copy = format!("{}\n{item}\n", Value::Object(header)).into_bytes();
    copy.extend_from_slice(event);
    copy.push(b'\n');
    copy
}

/// The empty envelope that the test button sends: it proves address and key, and makes no event.
pub(super) fn empty(target: &Dsn) -> Vec<u8> {
    format!("{}\n", json!({ "dsn": target.to_string() })).into_bytes()
}

/// Smaller bodies are not worth packing.
const PACK_FROM: usize = 1_024;

/// The body packed, where that pays.
pub(super) fn packed(body: &[u8]) -> Option<Vec<u8>> {
    if body.len() < PACK_FROM {
        return None;
    }
    let mut encoder = flate2::write::GzEncoder::new(
        Vec::with_capacity(body.len() / 4),
        flate2::Compression::fast(),
    );
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Dsn {
        "https://abc@tracker.example.com/7".parse().expect("a DSN")
    }

    #[test]
    fn the_header_names_the_target_and_the_rest_stays() {
        let body = b"{\"event_id\":\"x\",\"dsn\":\"http://k@localhost/1\",\"trace\":{\"public_key\":\"k\",\"a\":1}}\n{\"type\":\"event\",\"length\":3}\n{\n}\n";
        let copy = readdressed(body, &target()).expect("readable");
        let end = memchr::memchr(b'\n', &copy).expect("a header line");
        let header: Value = serde_json::from_slice(&copy[..end]).expect("JSON");
        assert_eq!(header["dsn"], "https://abc@tracker.example.com/7");
        assert_eq!(header["trace"], json!({"public_key": "abc", "a": 1}));
        assert_eq!(header["event_id"], "x");
        assert_eq!(&copy[end..], b"\n{\"type\":\"event\",\"length\":3}\n{\n}\n");
        assert_eq!(
            readdressed(b"{}", &target()),
            Some(b"{\"dsn\":\"https://abc@tracker.example.com/7\"}".to_vec())
        );
        assert_eq!(readdressed(b"[]\n", &target()), None);
    }

    #[test]
    fn an_event_becomes_an_envelope() {
        let id = EventId::from_bytes([7; 16]);
        let copy = enveloped(b"{\"message\":\"x\"}", Some(id), &target());
        let parsed = crate::protocol::envelope::Envelope::parse(&copy).expect("an envelope");
        assert_eq!(parsed.header.event_id, Some(id));
        assert_eq!(parsed.header.dsn, Some(target()));
        assert_eq!(parsed.items[0].payload, b"{\"message\":\"x\"}");
    }

    #[test]
    fn shares_are_of_events_and_stable() {
        let ids: Vec<EventId> = (0..2_000).map(|_| EventId::random()).collect();
        for percent in [0, 1, 50, 99, 100] {
            let chosen = |id: &&EventId| is_chosen(Some(**id), b"", percent);
            let count = ids.iter().filter(chosen).count();
            let expected = 20 * usize::from(percent);
            assert!(count.abs_diff(expected) <= 150, "{percent}: {count}");
            assert_eq!(count, ids.iter().filter(chosen).count());
        }
        assert!(!is_chosen(None, b"a", 0));
    }
}
