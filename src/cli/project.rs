//! `bugle project`. In: names. Out: the DSN of a new project, once every live node takes its events.

use std::time::{Duration, Instant};

use clap::{Args, Subcommand};

use super::{CommandError, mirror, open_store, org};
use crate::config::StorageArgs;
use crate::protocol::dsn::Dsn;
use crate::store::{Store, StoreError, accounts, keys, nodes};

/// Projects and their keys.
#[derive(Debug, Args)]
pub struct ProjectArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Create a project and print its DSN.
    Create(Create),
    /// Copy a share of a project's events to another tracker; copies are not scrubbed.
    Mirror(mirror::MirrorArgs),
}

#[derive(Debug, Args)]
struct Create {
    #[command(flatten)]
    storage: StorageArgs,
    /// Slug of the organization.
    #[arg(long)]
    org: String,
    /// Short name in addresses: a-z, 0-9, - and _.
    #[arg(long)]
    slug: String,
    /// Name to show; by default the slug.
    #[arg(long)]
    name: Option<String>,
    /// Platform, as SDKs name it.
    #[arg(long, default_value = "other")]
    platform: String,
}

/// Live nodes look for changes twice a second; one that takes longer than this is stuck.
const NODES_KNOW_WITHIN: Duration = Duration::from_secs(10);

pub(super) fn run(args: &ProjectArgs) -> Result<(), CommandError> {
    let args = match &args.action {
        Action::Create(args) => args,
        Action::Mirror(args) => return mirror::run(args),
    };
    let base_url = args.storage.public_url()?;
    let store = open_store(&args.storage)?;
    let Create {
        org: organization,
        slug,
        name,
        platform,
        ..
    } = args;
    let (organization, slug, platform) = (organization.clone(), slug.clone(), platform.clone());
    let name = name.clone().unwrap_or_else(|| slug.clone());
    let (key, version) = store.write_blocking(move |conn| {
        let organization = org::organization(conn, &organization)?;
        let (_, key) = accounts::create_project(conn, organization.id, &slug, &name, &platform)?;
        Ok((key, keys::version(conn)?))
    })?;
    wait_for_nodes(&store, version)?;
    println!(
        "{}",
        Dsn {
            base_url,
            public_key: key.public_key,
            project_id: key.project_id
        }
    );
    Ok(())
}

/// Waits until all live nodes have the settings of this version or a later one.
pub(super) fn wait_for_nodes(store: &Store, version: i64) -> Result<(), StoreError> {
    let deadline = Instant::now() + NODES_KNOW_WITHIN;
    while Instant::now() < deadline {
        if store.read_blocking(move |conn| nodes::behind(conn, version))? == 0 {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    eprintln!(
        "bugle: some node has not taken the change over yet; it will when it reaches the database"
    );
    Ok(())
}
