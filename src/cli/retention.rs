//! `bugle retention`. In: the settings as `serve` would have them. Out: what they say is deleted now, and a line that says how much.

use clap::Args;

use super::{CommandError, open_store};
use crate::config::{RetentionArgs, StorageArgs};
use crate::tasks::kinds::retention;
use crate::tasks::thinning;

/// Delete now what the retention settings no longer keep, instead of at the next full five minutes.
#[derive(Debug, Args)]
pub struct RetentionCommand {
    #[command(flatten)]
    storage: StorageArgs,

    #[command(flatten)]
    retention: RetentionArgs,
}

pub(super) fn run(args: &RetentionCommand) -> Result<(), CommandError> {
    let settings = &args.retention;
    if settings.retention_days == 0 {
        return Err("BUGLE_RETENTION_DAYS is 0; keep events for at least one day".into());
    }
    let store = open_store(&args.storage)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let (old, dead_letters) = runtime.block_on(retention::delete_older_than(
        &store,
        settings.retention_days,
    ))?;
    let Some(outcome) = runtime.block_on(thinning::run(&store, settings.limits(), None))? else {
        return Err("a running server is at it; look again in a few minutes".into());
    };
    println!(
        "deleted {old} events and {dead_letters} dead letters for their age, {} events ({} bytes of payload) for the limits",
        outcome.deleted.events, outcome.deleted.bytes
    );
    if outcome.unmet.is_empty() {
        Ok(())
    } else {
        Err(outcome.unmet.join("\n").into())
    }
}
