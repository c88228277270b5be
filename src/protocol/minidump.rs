//! A minidump with the event that it belongs to. In: event JSON and the dump. Out: one run of bytes, and back.
//!
//! The length of the event as little-endian `u32`, the event, the dump.

/// What every minidump begins with.
pub const MAGIC: &[u8] = b"MDMP";
/// The kind of attachment that is one.
pub const ATTACHMENT_TYPE: &str = "event.minidump";

/// What stands before the dump.
pub fn encode(event: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 + event.len());
    bytes.extend_from_slice(&(event.len() as u32).to_le_bytes());
    bytes.extend_from_slice(event);
    bytes
}

/// Event and dump, if the bytes are what [`encode`] made, and the dump.
pub fn decode(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_come_back(event: Vec<u8>, dump: Vec<u8>) {
            let bytes = [encode(&event), dump.clone()].concat();
            prop_assert_eq!(decode(&bytes), Some((event.as_slice(), dump.as_slice())));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}
