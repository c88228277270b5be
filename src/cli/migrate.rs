//! `bugle migrate`. In: the database. Out: the names of the migrations that ran.

use clap::Args;

use super::CommandError;
use crate::config::StorageArgs;
use crate::store::migrate;

/// Bring the database to this release's schema.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    storage: StorageArgs,

    /// Only name what is pending; exit with 1 if anything is.
    #[arg(long)]
    check: bool,
}

pub(super) fn run(args: &MigrateArgs) -> Result<(), CommandError> {
    let url = args.storage.database()?;
    if args.check {
        let pending = migrate::pending(&url)?;
        if pending.is_empty() {
            println!("nothing is pending");
            return Ok(());
        }
        return Err(format!("pending: {}", pending.join(", ")).into());
    }
    let done = migrate::run(&url)?;
    if done.is_empty() {
        println!("nothing to do: the schema is up to date");
    } else {
        for name in done {
            println!("ran {name}");
        }
    }
    Ok(())
}
