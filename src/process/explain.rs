//! Why an event is in its issue, in full. In: an event as it is stored, and the rules of its project. Out: the variants that today's
//! grouping makes of it, the rule that decided, and what became of each frame.

use serde::Serialize;

use super::group;
use super::{Incoming, Settings, normalize};
use crate::protocol::json::{self, Json};

pub use super::group::{FrameReport as Frame, StackReport as Stack};

/// The grouping of one event.
#[derive(Debug, Serialize)]
pub struct Explained {
    pub version: &'static str,
    pub rule: Option<Rule>,
    /// The first names a new issue; any finds an old one.
    pub variants: Vec<Variant>,
    pub stacks: Vec<Stack>,
}

/// The fingerprint rule that decided.
#[derive(Debug, Serialize)]
pub struct Rule {
    pub text: String,
    /// None for a rule that is built in.
    pub line: Option<u32>,
}

/// One way to group the event.
#[derive(Debug, Serialize)]
pub struct Variant {
    /// `app`, `system`, `default`, `custom_fingerprint`, `checksum` or `fallback`.
    pub name: &'static str,
    /// 32 hex digits.
    pub hash: String,
    pub components: Vec<Component>,
}

/// One thing that counted.
#[derive(Debug, Serialize)]
pub struct Component {
    pub kind: &'static str,
    pub values: Vec<String>,
}

/// Groups a stored event as one that came in now would be; nothing for what is no stored event.
pub fn explain(payload: &[u8], settings: &Settings) -> Option<Explained> {
    let Ok(Json::Object(document)) = json::parse(payload) else {
        return None;
    };
    let incoming = Incoming::stored(payload);
    // Scrubbed and trimmed it is already.
    let mut event = normalize::normalize(&incoming, document);
    let judgements = settings.stacks.judge(&event);
    judgements.set_in_app(&mut event);
    let grouping = group::group_explained(&event, settings, &judgements);
    let explanation = grouping.explanation;
    let variants = explanation.variants.into_iter().map(|variant| Variant {
        name: variant.name,
        hash: variant.hash,
        components: variant
            .components
            .into_iter()
            .map(|component| Component {
                kind: component.kind,
                values: component.values.iter().map(ToString::to_string).collect(),
            })
            .collect(),
    });
    Some(Explained {
        version: explanation.version,
        rule: explanation.rule.map(|rule| Rule {
            text: rule.text,
            line: rule.line,
        }),
        variants: variants.collect(),
        stacks: group::stacks(&event, &judgements),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::process;
    use crate::protocol::event_id::EventId;

    #[test]
    fn a_stored_event_is_explained_as_it_was_grouped() {
        let files = [
            include_str!("../../tests/fixtures/grouping/families.jsonl"),
            include_str!("../../tests/fixtures/grouping/sample.jsonl"),
        ];
        let mut explained_frames = 0;
        for line in files.iter().flat_map(|file| file.lines()) {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let payload = line["event"].to_string();
            let incoming = Incoming {
                payload: payload.as_bytes(),
                event_id: EventId::from_bytes([1; 16]),
                received_ms: 1_795_256_700_000,
                sent_at_ms: None,
                remote_addr: None,
                sdk_client: None,
            };
            let settings = Settings::default();
            let processed = process(&incoming, &settings).expect("an event");
            let explained = explain(&processed.payload, &settings).expect("an explanation");
            let mut hashes: Vec<String> = explained
                .variants
                .iter()
                .map(|variant| variant.hash.clone())
                .collect();
            hashes.dedup();
            let expected: Vec<String> = processed.hashes.iter().map(hex::encode).collect();
            assert_eq!(hashes, expected, "{payload}");
            for frame in explained.stacks.iter().flat_map(|stack| &stack.frames) {
                assert_ne!(
                    frame.counts_as.is_empty(),
                    frame.left_out.is_none(),
                    "{frame:?}"
                );
                explained_frames += 1;
            }
        }
        assert!(explained_frames > 500, "{explained_frames}");
    }
}
