//! What a stored event adds to its issue. In: its payload. Out: the hash that placed it, and what is counted and shown of
//! it, as the digest counted it when it came in.

use md5::{Digest, Md5};
use serde::Deserialize;

use crate::model::event::Level;
use crate::store::payload;

/// An event, as far as its issue is concerned.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Facts {
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub culprit: String,
    #[serde(default)]
    pub location: String,
    #[serde(default)]
    pub platform: String,
    #[serde(default, rename = "type")]
    pub kind: String,
    #[serde(default)]
    level: String,
    #[serde(default)]
    pub logger: Option<String>,
    #[serde(default)]
    pub release: Option<String>,
    #[serde(default)]
    pub environment: Option<String>,
    #[serde(default)]
    pub tags: Vec<(String, String)>,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    user: User,
    #[serde(default)]
    grouping: Grouping,
}

#[derive(Debug, Default, Deserialize)]
struct Metadata {
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

/// In the order in which they identify somebody; see `process::event`.
#[derive(Debug, Default, Deserialize)]
struct User {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    ip_address: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Grouping {
    #[serde(default)]
    variants: Vec<Variant>,
}

#[derive(Debug, Default, Deserialize)]
struct Variant {
    #[serde(default)]
    hash: String,
}

impl Facts {
    /// Reads a payload as it is stored; its dictionary must have been made readable.
    pub fn read(packed: &[u8]) -> Option<Self> {
        serde_json::from_slice(&payload::unpack(packed)?).ok()
    }

    /// All hashes of the event, the one that names its issue first.
    pub fn hashes(&self) -> Vec<Vec<u8>> {
        let variants = self.grouping.variants.iter();
        variants
            .filter_map(|variant| hex::decode(&variant.hash).ok())
            .collect()
    }

    /// Who had it, as rows of users name people.
    pub fn user_hash(&self) -> Option<Vec<u8>> {
        let User {
            id,
            username,
            email,
            ip_address,
        } = &self.user;
        let key = [
            ("id", id),
            ("username", username),
            ("email", email),
            ("ip", ip_address),
        ]
        .into_iter()
        .find_map(|(kind, value)| value.as_ref().map(|value| format!("{kind}:{value}")))?;
        Some(Md5::digest(key.as_bytes()).to_vec())
    }

    pub fn level(&self) -> Level {
        Level::from_text(&self.level).unwrap_or(Level::Error)
    }

    pub fn is_unhandled(&self) -> bool {
        self.tags
            .iter()
            .any(|(key, value)| key == "handled" && value == "no")
    }

    /// The two parts of the title.
    pub fn title_parts(&self) -> (&str, &str) {
        let kind = self.metadata.kind.as_deref().unwrap_or_default();
        match self.title.strip_prefix(kind) {
            Some(rest) if !kind.is_empty() => match rest.strip_prefix(": ") {
                Some(value) => (kind, value),
                None => (self.title.as_str(), ""),
            },
            _ => (self.title.as_str(), ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Incoming, Settings, process};
    use crate::protocol::event_id::EventId;
    use crate::store::payload::Packer;

    /// What is read from a stored event is what the digest counted.
    #[test]
    fn a_stored_event_tells_what_it_counted_for() {
        let sent = serde_json::json!({
            "platform": "python", "level": "fatal", "environment": "production", "release": "shop@1", "logger": "cart",
            "user": {"email": "jane@example.com", "username": "jane"}, "tags": {"region": "eu"},
            "exception": {"values": [{"type": "KeyError", "value": "'price'", "mechanism": {"type": "x", "handled": false},
                "stacktrace": {"frames": [
                    {"module": "web", "function": "dispatch", "in_app": false},
                    {"module": "cart", "function": "total", "in_app": true}]}}]},
        })
        .to_string();
        let incoming = Incoming {
            payload: sent.as_bytes(),
            event_id: EventId::from_bytes([7; 16]),
            received_ms: 1_795_000_000_000,
            sent_at_ms: None,
            remote_addr: None,
            sdk_client: None,
        };
        let event = process(&incoming, &Settings::default()).expect("an event");
        let none = crate::store::dictionaries::Current::new();
        let packed = Packer::new(&none).pack(&event.payload, "python");
        let facts = Facts::read(&packed).expect("facts");
        let hashes: Vec<Vec<u8>> = event.hashes.iter().map(|hash| hash.to_vec()).collect();
        assert_eq!(hashes.len(), 2);
        assert_eq!(facts.hashes(), hashes);
        let user = event.user_key.expect("a user");
        assert_eq!(facts.user_hash(), Some(Md5::digest(user).to_vec()));
        assert_eq!(facts.tags, event.tags);
        assert_eq!(facts.title_parts(), ("KeyError", "'price'"));
        assert_eq!(facts.title, event.title);
        assert_eq!(
            (facts.culprit.as_str(), facts.location.as_str()),
            (event.culprit.as_str(), event.location.as_str())
        );
        assert_eq!(
            (facts.kind.as_str(), facts.platform.as_str()),
            (event.kind.as_str(), event.platform.as_str())
        );
        assert_eq!((facts.release, facts.logger), (event.release, event.logger));
        assert_eq!(
            Facts::read(&packed).expect("facts").environment,
            event.environment
        );
        assert!(Facts::read(&packed).expect("facts").is_unhandled());
        assert!(Facts::read(b"").is_none());
    }
}
