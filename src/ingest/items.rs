//! The kinds of envelope items. In: an item's type. Out: the category it counts under, and whether it is kept.
//! A kind that becomes a feature changes its line here and gets a file of its own.

/// What happens to items of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// Journalled and digested as an event.
    Event,
    /// Counts of what the SDK dropped itself.
    ClientReport,
    /// Journalled and digested beside events; see [`super::beside`].
    Beside,
    /// Taken and counted, without a feature to keep it for.
    NotKept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemKind {
    pub name: &'static str,
    /// A category of the rate-limit header.
    pub category: &'static str,
    pub treatment: Treatment,
}

const fn not_kept(name: &'static str, category: &'static str) -> ItemKind {
    ItemKind {
        name,
        category,
        treatment: Treatment::NotKept,
    }
}

const fn beside(name: &'static str, category: &'static str) -> ItemKind {
    ItemKind {
        name,
        category,
        treatment: Treatment::Beside,
    }
}

/// All kinds of the protocol.
pub const KINDS: &[ItemKind] = &[
    ItemKind {
        name: "event",
        category: "error",
        treatment: Treatment::Event,
    },
    ItemKind {
        name: "client_report",
        category: "internal",
        treatment: Treatment::ClientReport,
    },
    not_kept("transaction", "transaction"),
    beside("attachment", "attachment"),
    beside("session", "session"),
    beside("sessions", "session"),
    beside("user_report", "feedback"),
    beside("feedback", "feedback"),
    not_kept("check_in", "monitor"),
    not_kept("log", "log_item"),
    not_kept("otel_log", "log_item"),
    not_kept("trace_metric", "trace_metric"),
    not_kept("span", "span"),
    not_kept("profile", "profile"),
    not_kept("profile_chunk", "profile_chunk"),
    not_kept("replay_event", "replay"),
    not_kept("replay_recording", "replay"),
    not_kept("replay_video", "replay"),
    not_kept("statsd", "metric_bucket"),
    not_kept("metric_buckets", "metric_bucket"),
    not_kept("metric_meta", "metric_bucket"),
    not_kept("security", "security"),
    not_kept("raw_security", "security"),
    not_kept("nel", "security"),
    not_kept("unreal_report", "attachment"),
    not_kept("form_data", "attachment"),
];

/// The category of security reports, which have an endpoint of their own.
pub const SECURITY: &str = "security";

/// What is counted for a type nobody knows: never the type itself, which a sender makes up.
pub const UNKNOWN: ItemKind = not_kept("unknown", "default");

pub fn kind(name: &str) -> &'static ItemKind {
    KINDS
        .iter()
        .find(|kind| kind.name == name)
        .unwrap_or(&UNKNOWN)
}

/// The categories that a client report may name.
pub fn known_category(name: &str) -> Option<&'static str> {
    const MORE: &[&str] = &["default", "error", "profile_chunk_ui", "log_byte"];
    KINDS
        .iter()
        .map(|kind| kind.category)
        .chain(MORE.iter().copied())
        .find(|category| *category == name)
}
