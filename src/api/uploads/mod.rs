//! Uploads of build tools. In: chunks, and what they make up. Out: artifacts, which frames of events lead to.

pub mod assemble;
pub mod chunks;
pub mod debug_files;
pub mod release_archives;
pub mod release_files;

use crate::api::access::Needs;

/// To ask how uploads go.
pub const READ: Needs = &[
    "project:read",
    "project:write",
    "project:admin",
    "project:releases",
    "org:ci",
];
pub const WRITE: Needs = &[
    "project:write",
    "project:admin",
    "project:releases",
    "org:ci",
];

/// 40 hex digits in lower case.
fn is_sha1(text: &str) -> bool {
    text.len() == 40
        && text
            .bytes()
            .all(|sign| matches!(sign, b'0'..=b'9' | b'a'..=b'f'))
}
