//! `bugle user`. In: an address and, on standard input, a password. Out: an account.

use std::io::Read as _;

use clap::{Args, Subcommand};

use super::{CommandError, open_store};
use crate::config::StorageArgs;
use crate::model::password;
use crate::store::accounts;

/// Accounts of people.
#[derive(Debug, Args)]
pub struct UserArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Create an account.
    Create(Create),
    /// Set the password of an account and end its sessions.
    SetPassword(SetPassword),
}

#[derive(Debug, Args)]
struct Create {
    #[command(flatten)]
    storage: StorageArgs,
    /// E-mail address, by which the account signs in.
    #[arg(long)]
    email: String,
    /// Name to show; by default the part of the address before the @.
    #[arg(long, default_value = "")]
    name: String,
    /// Sees every organization and the instance's administration.
    #[arg(long)]
    superuser: bool,
    /// Read the password from standard input.
    #[arg(long, required = true)]
    password_stdin: bool,
}

#[derive(Debug, Args)]
struct SetPassword {
    #[command(flatten)]
    storage: StorageArgs,
    /// E-mail address of the account.
    #[arg(long)]
    email: String,
    /// Read the password from standard input.
    #[arg(long, required = true)]
    password_stdin: bool,
}

pub(super) fn run(args: &UserArgs) -> Result<(), CommandError> {
    match &args.action {
        Action::Create(args) => {
            let hash = password_from_stdin()?;
            let store = open_store(&args.storage)?;
            let Create {
                email,
                name,
                superuser,
                ..
            } = args;
            let (email, name, superuser) = (email.clone(), name.clone(), *superuser);
            let user = store.write_blocking(move |conn| {
                accounts::create_user(conn, &email, &name, &hash, superuser)
            })?;
            println!("created {}", user.email);
        }
        Action::SetPassword(args) => {
            let hash = password_from_stdin()?;
            let store = open_store(&args.storage)?;
            let email = args.email.clone();
            store.write_blocking(move |conn| {
                let user = accounts::find_user(conn, &email)?.ok_or_else(|| {
                    crate::store::StoreError::Invalid(format!("there is no account for {email}"))
                })?;
                accounts::set_password(conn, user.id, &hash)
            })?;
            println!(
                "the password of {} is set; its sessions are ended",
                args.email
            );
        }
    }
    Ok(())
}

/// One line; the line break at its end does not count.
fn password_from_stdin() -> Result<String, CommandError> {
    let mut text = String::new();
    std::io::stdin()
        .take(4096)
        .read_to_string(&mut text)
        .map_err(|error| format!("cannot read the password from standard input: {error}"))?;
    let password = text.strip_suffix('\n').map_or(text.as_str(), |text| {
        text.strip_suffix('\r').unwrap_or(text)
    });
    password::hash(password).map_err(|error| error.to_string().into())
}
