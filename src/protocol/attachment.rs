//! An attachment with what was said of it. In: its names and its bytes. Out: one run of bytes, and back.
//!
//! The length of the head as little-endian `u32`, the head as JSON, the bytes of the file.

use serde::{Deserialize, Serialize};

use crate::model::names::fit;

/// Longest name of a file, of a media type and of a kind, in characters.
const LONGEST_NAME: usize = 200;
const LONGEST_MEDIA_TYPE: usize = 100;
const LONGEST_KIND: usize = 64;
/// The kind of a file that an application attached itself.
pub const ORDINARY: &str = "event.attachment";

/// What was said of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub name: String,
    pub content_type: Option<String>,
    /// `event.attachment`, `event.minidump`, `event.view_hierarchy`, …
    pub kind: String,
}

impl Head {
    /// Names as a sender gave them, made fit to be shown: of a path only its last part, no control characters, nothing long.
    pub fn new(name: Option<&str>, content_type: Option<&str>, kind: Option<&str>) -> Self {
        let base = name.unwrap_or_default().rsplit(['/', '\\']).next();
        let base = clean(base.unwrap_or_default(), LONGEST_NAME);
        let media_type = content_type.map(|text| clean(text, LONGEST_MEDIA_TYPE));
        let kind = clean(kind.unwrap_or_default(), LONGEST_KIND);
        Self {
            name: match base.as_str() {
                "" | "." | ".." => "unnamed".to_owned(),
                _ => base,
            },
            content_type: media_type.filter(|text| !text.is_empty()),
            kind: if kind.is_empty() {
                ORDINARY.to_owned()
            } else {
                kind
            },
        }
    }
}

fn clean(text: &str, longest: usize) -> String {
    // Marks of direction make one name look like another.
    let is_mark = |sign: char| matches!(sign, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown: String = text
        .chars()
        .filter(|sign| !sign.is_control() && !is_mark(*sign))
        .collect();
    fit(shown.trim(), longest).to_owned()
}

/// What stands before the file.
pub fn encode(head: &Head) -> Vec<u8> {
    let head = serde_json::to_vec(head).expect("texts are plain fields");
    let mut bytes = Vec::with_capacity(4 + head.len());
    bytes.extend_from_slice(&(head.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&head);
    bytes
}

/// Head and file, if the bytes are what [`encode`] made, and the file.
pub fn decode(bytes: &[u8]) -> Option<(Head, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (head, file) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((serde_json::from_slice(head).ok()?, file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_those_of_files() {
        let name = |text| Head::new(Some(text), None, None).name;
        assert_eq!(name("../../etc/passwd"), "passwd");
        assert_eq!(name(r"C:\logs\shop.log"), "shop.log");
        assert_eq!(name("a\r\nb\0.txt"), "ab.txt");
        assert_eq!(name("invoice\u{202e}gpj.exe"), "invoicegpj.exe");
        assert_eq!(name(".."), "unnamed");
        assert_eq!(name("a/"), "unnamed");
        assert_eq!(
            Head::new(None, Some(" "), Some("")),
            Head {
                name: "unnamed".to_owned(),
                content_type: None,
                kind: ORDINARY.to_owned(),
            }
        );
    }

    proptest! {
        #[test]
        fn a_file_comes_back_with_what_was_said_of_it(name: String, kind: Option<String>, media: Option<String>, file: Vec<u8>) {
            let head = Head::new(Some(&name), media.as_deref(), kind.as_deref());
            prop_assert!(!head.name.is_empty() && head.name.chars().count() <= LONGEST_NAME && !head.name.contains('/'));
            let bytes = [encode(&head), file.clone()].concat();
            prop_assert_eq!(decode(&bytes), Some((head, file.as_slice())));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}
