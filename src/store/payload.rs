//! Stored payloads. In: the normalised event as JSON. Out: compressed bytes with a mark of how, and back.

use std::cell::RefCell;

/// The first byte of a stored payload says how to read the rest; old marks stay readable for good.
const PLAIN: u8 = 0;
const ZSTD: u8 = 1;

const LEVEL: i32 = 3;
/// No stored event is larger once unpacked.
const MOST_BYTES: usize = 8 * 1024 * 1024;

thread_local! {
    // Setting up a compressor costs more than compressing an event with it.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = RefCell::new(zstd::bulk::Compressor::new(LEVEL).ok());
}

/// Compresses; if that fails or does not pay, the bytes are kept plain.
pub fn pack(json: &[u8]) -> Vec<u8> {
    let compressed = COMPRESSOR.with_borrow_mut(|compressor| {
        compressor
            .as_mut()
            .and_then(|compressor| compressor.compress(json).ok())
    });
    let (mark, body) = match &compressed {
        Some(bytes) if bytes.len() < json.len() => (ZSTD, bytes.as_slice()),
        _ => (PLAIN, json),
    };
    let mut packed = Vec::with_capacity(body.len() + 1);
    packed.push(mark);
    packed.extend_from_slice(body);
    packed
}

/// Reads a stored payload; none if it is damaged or of a later version.
pub fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let (mark, body) = packed.split_first()?;
    match *mark {
        PLAIN => Some(body.to_vec()),
        ZSTD => zstd::bulk::decompress(body, MOST_BYTES).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_come_back() {
        for json in [
            b"{}".to_vec(),
            br#"{"a":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#.repeat(50),
        ] {
            assert_eq!(unpack(&pack(&json)), Some(json));
        }
        assert_eq!(unpack(b""), None);
        assert_eq!(unpack(&[9, 1, 2]), None);
        assert_eq!(unpack(&[ZSTD, 1, 2]), None);
    }
}
