//! `bugle journal`. In: the data folder of a node that receives no more. Out: an empty journal, or what keeps it from being
//! empty.

use clap::{Args, Subcommand};

use super::CommandError;
use crate::config::{LogFormat, ServeArgs};
use crate::server::{self, Drained};
use crate::telemetry;

/// The journal of a node: events that were accepted and are not stored yet.
#[derive(Debug, Args)]
pub struct JournalArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Empty the journal of a node that is retired, or of a machine that died. Takes the settings of `serve`; with Redis the
    /// workers of other nodes store the events, without it this command does. Exits with 0 once all of them are stored.
    Drain(Box<ServeArgs>),
}

pub(super) fn run(args: &JournalArgs) -> Result<(), CommandError> {
    let Action::Drain(args) = &args.action;
    telemetry::start(LogFormat::Text, "warn,bugle=warn");
    let config = args.check().map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build()
        .map_err(|error| error.to_string())?;
    let drained = runtime.block_on(server::drain(config, &|line| println!("{line}")));
    // Its end would wait for threads that wait for a frozen database.
    std::mem::forget(runtime);
    match drained.map_err(|error| error.to_string())? {
        Drained::Empty => {
            println!("the journal is empty: the folder is not needed any more");
            Ok(())
        }
        Drained::Stopped(count) => {
            Err(format!("stopped with {count} records left; run it again to go on").into())
        }
        Drained::Damaged(count) => Err(format!(
            "everything readable is stored; {count} places of the journal could not be read"
        )
        .into()),
    }
}
