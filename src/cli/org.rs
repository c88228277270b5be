//! `bugle org`. In: names and addresses. Out: organizations and their members.

use clap::{Args, Subcommand};

use super::{CommandError, open_store};
use crate::config::StorageArgs;
use crate::store::accounts::{self, Organization, User};
use crate::store::{Conn, StoreError};

/// Organizations and their members.
#[derive(Debug, Args)]
pub struct OrgArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Create an organization.
    Create(Create),
    /// Members of an organization.
    Member(MemberArgs),
}

#[derive(Debug, Args)]
struct Create {
    #[command(flatten)]
    storage: StorageArgs,
    /// Short name in addresses: a-z, 0-9, - and _.
    #[arg(long)]
    slug: String,
    /// Name to show.
    #[arg(long)]
    name: String,
    /// E-mail address of the account that owns it.
    #[arg(long)]
    owner: String,
}

#[derive(Debug, Args)]
struct MemberArgs {
    #[command(subcommand)]
    action: MemberAction,
}

#[derive(Debug, Subcommand)]
enum MemberAction {
    /// Add an account, or change its role.
    Add(Add),
}

#[derive(Debug, Args)]
struct Add {
    #[command(flatten)]
    storage: StorageArgs,
    /// Slug of the organization.
    #[arg(long)]
    org: String,
    /// E-mail address of the account.
    #[arg(long)]
    email: String,
    /// member, admin, manager or owner.
    #[arg(long, default_value = "member")]
    role: String,
}

pub(super) fn run(args: &OrgArgs) -> Result<(), CommandError> {
    match &args.action {
        Action::Create(args) => {
            let store = open_store(&args.storage)?;
            let Create {
                slug, name, owner, ..
            } = args;
            let (slug, name, owner) = (slug.clone(), name.clone(), owner.clone());
            let organization = store.write_blocking(move |conn| {
                let owner = account(conn, &owner)?;
                accounts::create_organization(conn, &slug, &name, owner.id)
            })?;
            println!("created {}", organization.slug);
        }
        Action::Member(MemberArgs {
            action: MemberAction::Add(args),
        }) => {
            let store = open_store(&args.storage)?;
            let Add {
                org, email, role, ..
            } = args;
            let (org, email, role) = (org.clone(), email.clone(), role.clone());
            store.write_blocking(move |conn| {
                let organization = organization(conn, &org)?;
                let user = account(conn, &email)?;
                accounts::add_member(conn, organization.id, user.id, &role)
            })?;
            println!("{} is {} of {}", args.email, args.role, args.org);
        }
    }
    Ok(())
}

/// An account that must exist.
pub(super) fn account(conn: &mut Conn, email: &str) -> Result<User, StoreError> {
    accounts::find_user(conn, email)?.ok_or_else(|| {
        StoreError::Invalid(format!("there is no account for {email}; create it with `bugle user create --email {email} --password-stdin`"))
    })
}

/// An organization that must exist.
pub(super) fn organization(conn: &mut Conn, slug: &str) -> Result<Organization, StoreError> {
    accounts::find_organization(conn, slug)?.ok_or_else(|| {
        StoreError::Invalid(format!("there is no organization {slug}; create it with `bugle org create --slug {slug} --name NAME --owner EMAIL`"))
    })
}
