//! `bugle project`. In: names. Out: the DSN of a new project, once every live node takes its events.

use std::time::{Duration, Instant};

use clap::{Args, Subcommand};

use super::{CommandError, mirror, open_store, org};
use crate::config::{StorageArgs, parse_bytes};
use crate::protocol::dsn::Dsn;
use crate::store::{Store, StoreError, accounts, keys, lifecycle_steps, nodes, thinning};

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
    /// Give a project limits of its own for what is kept.
    Retention(Retention),
    /// Let a project resolve issues that are not seen any more.
    ResolveAge(ResolveAge),
    /// Copy a share of a project's events to another tracker; copies are not scrubbed.
    Mirror(mirror::MirrorArgs),
}

#[derive(Debug, Args)]
struct Retention {
    #[command(flatten)]
    storage: StorageArgs,
    /// Slug of the organization.
    #[arg(long)]
    org: String,
    /// Slug of the project.
    #[arg(long)]
    slug: String,
    /// Events kept of the project: a number, `none`, or `default` for what the server's setting says.
    #[arg(long, value_name = "COUNT", value_parser = own_limit)]
    events: Option<OwnLimit>,
    /// Bytes of events kept of the project, as in `2GB`; `none` for no limit.
    #[arg(long, value_name = "BYTES", value_parser = own_limit)]
    bytes: Option<OwnLimit>,
}

#[derive(Debug, Args)]
struct ResolveAge {
    #[command(flatten)]
    storage: StorageArgs,
    /// Slug of the organization.
    #[arg(long)]
    org: String,
    /// Slug of the project.
    #[arg(long)]
    slug: String,
    /// Hours without an event after which an issue is resolved; 0 turns it off.
    #[arg(long, value_parser = clap::value_parser!(i64).range(0..=lifecycle_steps::MOST_HOURS))]
    hours: i64,
}

/// None: the default.
#[derive(Debug, Clone, Copy)]
struct OwnLimit(Option<i64>);

fn own_limit(text: &str) -> Result<OwnLimit, String> {
    match text {
        "default" => Ok(OwnLimit(None)),
        "none" => Ok(OwnLimit(Some(0))),
        size => parse_bytes(size).map(|size| OwnLimit(Some(size))),
    }
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
    match &args.action {
        Action::Create(args) => create(args),
        Action::Retention(args) => limit(args),
        Action::ResolveAge(args) => resolve_age(args),
        Action::Mirror(args) => mirror::run(args),
    }
}

fn limit(args: &Retention) -> Result<(), CommandError> {
    let store = open_store(&args.storage)?;
    let Retention {
        org: organization,
        slug,
        events,
        bytes,
        ..
    } = args;
    if events.is_none() && bytes.is_none() {
        return Err("give --events, --bytes or both".into());
    }
    let (organization, slug) = (organization.clone(), slug.clone());
    let (events, bytes) = (*events, *bytes);
    let found = store.write_blocking(move |conn| {
        let organization = org::organization(conn, &organization)?;
        let project = thinning::project(conn, organization.id, &slug)?;
        if let Some(id) = project {
            if let Some(OwnLimit(limit)) = events {
                thinning::limit_events(conn, id, limit)?;
            }
            if let Some(OwnLimit(limit)) = bytes {
                thinning::limit_bytes(conn, id, limit)?;
            }
        }
        Ok(project)
    })?;
    match found {
        Some(_) => Ok(()),
        None => Err(format!("there is no project {} in {}", args.slug, args.org).into()),
    }
}

fn resolve_age(args: &ResolveAge) -> Result<(), CommandError> {
    let store = open_store(&args.storage)?;
    let (organization, slug, hours) = (args.org.clone(), args.slug.clone(), args.hours);
    let found = store.write_blocking(move |conn| {
        let organization = org::organization(conn, &organization)?;
        let project = thinning::project(conn, organization.id, &slug)?;
        if let Some(id) = project {
            lifecycle_steps::set_resolve_age(conn, id, Some(hours))?;
        }
        Ok(project)
    })?;
    match found {
        Some(_) => Ok(()),
        None => Err(format!("there is no project {} in {}", args.slug, args.org).into()),
    }
}

fn create(args: &Create) -> Result<(), CommandError> {
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
