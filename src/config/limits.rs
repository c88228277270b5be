//! Limits that hold unless a key, project or organization has its own. In: arguments. Out: numbers of events.

use clap::Args;

/// What may come in unless something else is said for it.
#[derive(Debug, Clone, Args)]
pub struct LimitArgs {
    /// Events a minute of each key that has no limit of its own; 0 for none.
    #[arg(
        long,
        env = "BUGLE_KEY_RATE_LIMIT",
        default_value_t = 0,
        value_name = "EVENTS",
        value_parser = clap::value_parser!(u32)
    )]
    pub key_rate_limit: u32,
}
