//! `bugle token`. In: an account and scopes. Out: a token of the JSON API, shown once.

use clap::{Args, Subcommand};

use super::{CommandError, open_store, org};
use crate::config::StorageArgs;
use crate::store::tokens;

/// Tokens of the JSON API.
#[derive(Debug, Args)]
pub struct TokenArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Create a token and print it.
    Create(Create),
}

#[derive(Debug, Args)]
struct Create {
    #[command(flatten)]
    storage: StorageArgs,
    /// E-mail address of the account it acts for.
    #[arg(long)]
    user: String,
    /// What it may do, separated by commas, as in `event:read,project:read`; by default everything the account may.
    #[arg(long, value_delimiter = ',')]
    scopes: Vec<String>,
    /// Name to tell it by.
    #[arg(long, default_value = "created on the command line")]
    name: String,
}

pub(super) fn run(args: &TokenArgs) -> Result<(), CommandError> {
    let Action::Create(args) = &args.action;
    let store = open_store(&args.storage)?;
    let Create {
        user, scopes, name, ..
    } = args;
    let (user, scopes, name) = (user.clone(), scopes.clone(), name.clone());
    let secret = store.write_blocking(move |conn| {
        let user = org::account(conn, &user)?;
        tokens::create_user_token(conn, user.id, &name, &scopes)
    })?;
    println!("{secret}");
    Ok(())
}
