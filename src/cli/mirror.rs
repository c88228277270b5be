//! `bugle project mirror`. In: a project, the DSN of another tracker, a share. Out: copies on their way there once every
//! live node knows, or their end.

use clap::Args;

use super::{CommandError, open_store, org, project};
use crate::config::StorageArgs;
use crate::mirror;
use crate::protocol::dsn::Dsn;
use crate::store::accounts::{self, Project};
use crate::store::{Conn, StoreError, keys, mirrors, project_keys};

/// Copy a share of a project's events to another tracker; copies are not scrubbed.
#[derive(Debug, Args)]
pub struct MirrorArgs {
    #[command(flatten)]
    storage: StorageArgs,
    /// Slug of the organization.
    #[arg(long)]
    org: String,
    /// Slug of the project.
    #[arg(long)]
    project: String,
    /// DSN that the copies go to.
    #[arg(long, required_unless_present = "off", conflicts_with = "off")]
    dsn: Option<String>,
    /// Share of the events, in percent.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i32).range(0..=100))]
    percent: i32,
    /// Switch the mirror off.
    #[arg(long)]
    off: bool,
}

pub(super) fn run(args: &MirrorArgs) -> Result<(), CommandError> {
    let dsn = match &args.dsn {
        Some(text) => {
            let dsn: Dsn = text
                .parse()
                .map_err(|error: crate::protocol::dsn::InvalidDsn| error.to_string())?;
            Some(dsn)
        }
        None => None,
    };
    let base_url = args.storage.public_url()?;
    let store = open_store(&args.storage)?;
    let (organization, name, percent) = (args.org.clone(), args.project.clone(), args.percent);
    let said = match &dsn {
        Some(dsn) => format!("copies of {percent} % go to {}, not scrubbed", dsn.base_url),
        None => "the mirror is off".to_owned(),
    };
    let version = store.write_blocking(move |conn| {
        let project = project_named(conn, &organization, &name)?;
        match &dsn {
            Some(dsn) => {
                let keys = project_keys::list(conn, project.id)?;
                let keys: Vec<String> = keys.into_iter().map(|key| key.public_key).collect();
                mirror::refuse_itself(dsn, &base_url, project.id, &keys)
                    .map_err(StoreError::Invalid)?;
                mirrors::set(conn, &project, &dsn.to_string(), percent, true)?;
            }
            None => mirrors::switch_off(conn, &project)?,
        }
        keys::version(conn)
    })?;
    project::wait_for_nodes(&store, version)?;
    println!("{said}");
    Ok(())
}

fn project_named(conn: &mut Conn, organization: &str, name: &str) -> Result<Project, StoreError> {
    let organization = org::organization(conn, organization)?;
    accounts::project_of(conn, organization.id, name)?.ok_or_else(|| {
        StoreError::Invalid(format!(
            "there is no project {name} in {}",
            organization.slug
        ))
    })
}
