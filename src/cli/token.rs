//! `bugle token`. In: an account and scopes. Out: a token of the JSON API, shown once.

use clap::{Args, Subcommand};

use super::{CommandError, open_store, org};
use crate::config::StorageArgs;
use crate::store::{scope, tokens};

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
    #[arg(long, required_unless_present = "org")]
    user: Option<String>,
    /// What it may do, separated by commas, as in `event:read,project:read`; by default everything the account may.
    #[arg(long, value_delimiter = ',')]
    scopes: Vec<String>,
    /// Slug of an organization: the token is for its builds and may upload source maps and make releases, nothing else.
    #[arg(long, conflicts_with_all = ["user", "scopes"])]
    org: Option<String>,
    /// Name to tell it by.
    #[arg(long, default_value = "created on the command line")]
    name: String,
}

pub(super) fn run(args: &TokenArgs) -> Result<(), CommandError> {
    let Action::Create(args) = &args.action;
    let store = open_store(&args.storage)?;
    let (user, organization) = (args.user.clone(), args.org.clone());
    let (scopes, name) = (args.scopes.clone(), args.name.clone());
    // Clients read it out of an organization's token.
    let base_url = args.storage.public_url()?;
    let secret = store.write_blocking(move |conn| {
        if let Some(organization) = &organization {
            let scope = scope::administer(conn, organization)?;
            let made = tokens::create_organization_token(conn, &scope, &name, &base_url)?;
            return Ok(made.1);
        }
        let user = org::account(conn, user.as_deref().unwrap_or_default())?;
        tokens::create_user_token(conn, user.id, &name, &scopes)
    })?;
    println!("{secret}");
    Ok(())
}
