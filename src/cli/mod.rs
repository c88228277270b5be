//! Commands. In: arguments. Out: what was asked for on standard output; problems as a sentence on standard error and
//! exit code 1.

mod dead_letters;
mod doctor;
mod healthcheck;
mod journal;
mod key;
mod migrate;
mod mirror;
mod org;
mod project;
mod retention;
mod send_test_event;
mod serve;
mod storage_report;
mod thrift;
mod token;
mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::StorageArgs;
use crate::store::{Store, StoreError};

/// Self-hosted error tracking for the Sentry SDKs you already use.
#[derive(Debug, Parser)]
#[command(name = "bugle", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a node: receive events, digest them, serve the dashboard.
    Serve(Box<crate::config::ServeArgs>),
    /// Bring the database to this release's schema.
    Migrate(migrate::MigrateArgs),
    /// Accounts of people.
    User(user::UserArgs),
    /// Organizations and their members.
    Org(org::OrgArgs),
    /// Projects and their keys.
    Project(project::ProjectArgs),
    /// Keys of projects: rotate, disable, limit.
    Key(key::KeyArgs),
    /// Tokens of the JSON API.
    Token(token::TokenArgs),
    /// Delete now what the retention settings no longer keep.
    Retention(retention::RetentionCommand),
    /// Check settings, database, journal and mail, show what storage is used for, and say what to do.
    Doctor(doctor::DoctorArgs),
    /// Exit with 0 if the server on this machine is ready; for containers.
    Healthcheck(healthcheck::HealthcheckArgs),
    /// Send an event to a DSN, as an SDK would.
    SendTestEvent(send_test_event::SendTestEventArgs),
    /// The journal of a node: empty it before the node is retired.
    Journal(journal::JournalArgs),
    /// The child process that suspect events are tried in.
    #[command(name = crate::tasks::poison::trial::COMMAND, hide = true)]
    TryEvents,
    /// The child process that source maps are compiled in.
    #[command(name = crate::tasks::source_maps::COMMAND, hide = true)]
    CompileSourceMap,
    /// The child process that debug files are compiled in.
    #[command(name = crate::tasks::native::COMMAND, hide = true)]
    CompileDebugFile,
    /// The child process that minidumps are read in.
    #[command(name = crate::tasks::native::minidump::COMMAND, hide = true)]
    ReadMinidump,
    /// Look at tasks that failed for good, try them again or delete them.
    DeadLetters {
        #[command(flatten)]
        storage: StorageArgs,
        #[command(flatten)]
        dead_letters: dead_letters::DeadLettersArgs,
    },
}

/// Why a command failed, in words for its user.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CommandError(String);

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl From<String> for CommandError {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for CommandError {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Runs the command that the arguments name.
pub fn run() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(args) => serve::run(&args),
        Command::Migrate(args) => migrate::run(&args),
        Command::User(args) => user::run(&args),
        Command::Org(args) => org::run(&args),
        Command::Project(args) => project::run(&args),
        Command::Key(args) => key::run(&args),
        Command::Token(args) => token::run(&args),
        Command::Retention(args) => retention::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Healthcheck(args) => healthcheck::run(&args),
        Command::SendTestEvent(args) => send_test_event::run(&args),
        Command::Journal(args) => journal::run(&args),
        Command::TryEvents => {
            crate::tasks::poison::trial::run_child().map_err(|error| error.to_string().into())
        }
        Command::CompileSourceMap => {
            crate::tasks::source_maps::run_child().map_err(CommandError::from)
        }
        Command::ReadMinidump => {
            crate::tasks::native::minidump::run_child().map_err(CommandError::from)
        }
        Command::CompileDebugFile => crate::tasks::native::run_child().map_err(CommandError::from),
        Command::DeadLetters {
            storage,
            dead_letters: args,
        } => open_store(&storage).and_then(|store| {
            print!("{}", dead_letters::run(&store, &args)?);
            Ok(())
        }),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bugle: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The database with this release's schema, for commands that work beside a running server.
fn open_store(storage: &StorageArgs) -> Result<Store, CommandError> {
    let url = storage.database()?;
    crate::store::migrate::run(&url)?;
    Ok(Store::new(url))
}
