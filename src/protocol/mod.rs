//! Sentry's wire language: what SDKs write, as types. No I/O.
//! In: bytes and header texts. Out: ids, keys, envelopes and events, or why not.

pub mod artifact_bundle;
pub mod attachment;
pub mod auth;
pub mod debug_id;
pub mod dsn;
pub mod envelope;
pub mod event_id;
pub mod json;
pub mod minidump;
mod repair;
pub mod security;
