//! Event ids: 32 hex digits or a hyphenated UUID in, 16 bytes kept, 32 lower-case hex digits out.
//! Source: envelope header `event_id` of the Sentry ingestion protocol.

use std::fmt;
use std::str::FromStr;

/// The id of one event, unique within its project only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId([u8; 16]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event id is 32 hex digits or a UUID")]
pub struct InvalidEventId;

impl EventId {
    /// A fresh random id, shaped as a version 4 UUID as SDKs do it.
    pub fn random() -> Self {
        let mut bytes = [0u8; 16];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Self(bytes)
    }

    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The nil id (all zeros), which some clients send instead of none.
    pub fn is_nil(&self) -> bool {
        self.0 == [0; 16]
    }

    /// With hyphens, as the minidump endpoint answers.
    pub fn hyphenated(&self) -> String {
        let hex = self.to_string();
        format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }
}

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(text: &str) -> Result<Self, InvalidEventId> {
        let mut digits = [0u8; 32];
        let hyphens_fit = match text.len() {
            32 => !text.contains('-'),
            36 => text
                .bytes()
                .enumerate()
                .all(|(at, byte)| (byte == b'-') == matches!(at, 8 | 13 | 18 | 23)),
            _ => false,
        };
        if !hyphens_fit {
            return Err(InvalidEventId);
        }
        for (digit, byte) in digits
            .iter_mut()
            .zip(text.bytes().filter(|byte| *byte != b'-'))
        {
            *digit = byte;
        }
        let mut bytes = [0u8; 16];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| InvalidEventId)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0u8; 32];
        hex::encode_to_slice(self.0, &mut digits).expect("32 digits hold 16 bytes");
        out.write_str(std::str::from_utf8(&digits).expect("hex digits are ASCII"))
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_in_any_case_are_one_id() {
        let plain: EventId = "9ec79c33ec9942ab8353589fcb2e04dc".parse().expect("plain");
        let dashed: EventId = "9EC79C33-EC99-42AB-8353-589FCB2E04DC"
            .parse()
            .expect("dashed");
        assert_eq!(plain, dashed);
        assert_eq!(plain.to_string(), "9ec79c33ec9942ab8353589fcb2e04dc");
        assert_eq!(plain.hyphenated(), "9ec79c33-ec99-42ab-8353-589fcb2e04dc");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "zz",
            "9ec79c33ec9942ab8353589fcb2e04d",
            "9ec79c33ec9942ab8353589fcb2e04dg",
            "9ec79c33e-c99-42ab-8353-589fcb2e04dc",
            "é0123456789012345678901234567890",
        ] {
            assert!(text.parse::<EventId>().is_err(), "{text}");
        }
    }
}
