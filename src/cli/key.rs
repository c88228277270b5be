//! `bugle key`. In: a project, and what to do with its keys. Out: the keys, or the change once every live node knows it.

use clap::{Args, Subcommand};

use super::project::wait_for_nodes;
use super::{CommandError, open_store, org};
use crate::config::StorageArgs;
use crate::notify::one_line::one_line;
use crate::protocol::dsn::Dsn;
use crate::store::accounts::{Project, ProjectKey};
use crate::store::project_keys::{self, Change, Limits};
use crate::store::{Conn, Store, StoreError, keys, now_ms, scope};

/// Keys of projects.
#[derive(Debug, Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show a project's keys with their limits and DSNs.
    List(Of),
    /// Create a key and print its DSN.
    Create(Create),
    /// Refuse what is sent with a key.
    Disable(Chosen),
    /// Take what is sent with a key again.
    Enable(Chosen),
    /// Make a successor and print its DSN; the old key works on, for good or for a while.
    Rotate(Rotate),
    /// Limit how many events a key may send.
    Limit(Limit),
}

#[derive(Debug, Args)]
struct Of {
    #[command(flatten)]
    storage: StorageArgs,
    /// Slug of the organization.
    #[arg(long)]
    org: String,
    /// Slug or number of the project.
    #[arg(long)]
    project: String,
}

#[derive(Debug, Args)]
struct Create {
    #[command(flatten)]
    of: Of,
    /// Name of the key, such as the application that uses it.
    #[arg(long)]
    name: String,
}

#[derive(Debug, Args)]
struct Chosen {
    #[command(flatten)]
    of: Of,
    /// The key itself, or its number from the list.
    key: String,
}

#[derive(Debug, Args)]
struct Rotate {
    #[command(flatten)]
    chosen: Chosen,
    /// Hours for which the old key works on; by default until it is disabled, 0 ends it at once.
    #[arg(long, value_name = "HOURS")]
    grace: Option<u32>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true, id = "limits", args = ["per_minute", "per_month"])]
struct Limit {
    #[command(flatten)]
    chosen: Chosen,
    /// Events a minute: a number, 0 for no limit, or `default` for what the server's settings say.
    #[arg(long, value_name = "EVENTS", value_parser = events)]
    per_minute: Option<Events>,
    /// Events a calendar month: a number, or 0 for no limit.
    #[arg(long, value_name = "EVENTS", value_parser = events)]
    per_month: Option<Events>,
}

/// A limit as somebody types it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Events(Option<i64>);

fn events(text: &str) -> Result<Events, String> {
    match text {
        "default" => Ok(Events(None)),
        number => number
            .parse()
            .map(|number| Events(Some(number)))
            .map_err(|_| "use a number of events, or default".to_owned()),
    }
}

pub(super) fn run(args: &KeyArgs) -> Result<(), CommandError> {
    match &args.action {
        Action::List(of) => list(of),
        Action::Create(args) => {
            let name = args.name.clone();
            let key = change(&args.of, move |conn, project| {
                project_keys::create(conn, project, &name, Limits::default())
            })?;
            print_dsn(&args.of, &key)
        }
        Action::Disable(chosen) => switch(chosen, false),
        Action::Enable(chosen) => switch(chosen, true),
        Action::Rotate(Rotate { chosen, grace }) => {
            let (name, grace) = (chosen.key.clone(), *grace);
            let key = change(&chosen.of, move |conn, project| {
                let old = named(conn, project, &name)?;
                let grace_ms = grace.map(|hours| i64::from(hours) * 3_600_000);
                project_keys::rotate(conn, project, &old, grace_ms)
            })?;
            print_dsn(&chosen.of, &key)
        }
        Action::Limit(args) => {
            let (name, minute, month) = (args.chosen.key.clone(), args.per_minute, args.per_month);
            let key = change(&args.chosen.of, move |conn, project| {
                let key = named(conn, project, &name)?;
                let limits = Limits {
                    minute: minute.map_or(key.minute_limit, |events| events.0),
                    month: month.map_or(key.month_limit, |events| events.0),
                };
                let change = Change {
                    limits: Some(limits),
                    ..Change::default()
                };
                project_keys::change(conn, project, &key, &change)
            })?;
            println!("{}", line(&key));
            Ok(())
        }
    }
}

fn switch(chosen: &Chosen, is_active: bool) -> Result<(), CommandError> {
    let name = chosen.key.clone();
    let key = change(&chosen.of, move |conn, project| {
        let key = named(conn, project, &name)?;
        let change = Change {
            is_active: Some(is_active),
            ..Change::default()
        };
        project_keys::change(conn, project, &key, &change)
    })?;
    println!("{}", line(&key));
    Ok(())
}

fn list(of: &Of) -> Result<(), CommandError> {
    let store = open_store(&of.storage)?;
    let base_url = of.storage.public_url()?;
    let (organization, name) = (of.org.clone(), of.project.clone());
    let keys = store.read_blocking(move |conn| {
        let project = project(conn, &organization, &name)?;
        project_keys::list(conn, project.id)
    })?;
    for key in keys {
        println!("{} {}", line(&key), dsn(&base_url, &key));
    }
    Ok(())
}

/// Changes a key and waits until every live node knows.
fn change(
    of: &Of,
    work: impl Fn(&mut Conn, &Project) -> Result<ProjectKey, StoreError> + Send + 'static,
) -> Result<ProjectKey, CommandError> {
    let store: Store = open_store(&of.storage)?;
    let (organization, name) = (of.org.clone(), of.project.clone());
    let (key, version) = store.write_blocking(move |conn| {
        let project = project(conn, &organization, &name)?;
        let key = work(conn, &project)?;
        Ok((key, keys::version(conn)?))
    })?;
    wait_for_nodes(&store, version)?;
    Ok(key)
}

fn project(conn: &mut Conn, organization: &str, name: &str) -> Result<Project, StoreError> {
    let organization = org::organization(conn, organization)?;
    scope::project_of(conn, &organization, name).map_err(|error| match error {
        StoreError::NotFound => StoreError::Invalid(format!(
            "there is no project {name} in {}",
            organization.slug
        )),
        other => other,
    })
}

fn named(conn: &mut Conn, project: &Project, name: &str) -> Result<ProjectKey, StoreError> {
    project_keys::find(conn, project, name).map_err(|error| match error {
        StoreError::NotFound => StoreError::Invalid(format!(
            "{} has no key '{name}'; `bugle key list` shows its keys",
            project.slug
        )),
        other => other,
    })
}

fn print_dsn(of: &Of, key: &ProjectKey) -> Result<(), CommandError> {
    println!("{}", dsn(&of.storage.public_url()?, key));
    Ok(())
}

fn dsn(base_url: &str, key: &ProjectKey) -> Dsn {
    Dsn {
        base_url: base_url.to_owned(),
        public_key: key.public_key.clone(),
        project_id: key.project_id,
    }
}

fn until(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(
        |_| "a time out of range".to_owned(),
        |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    )
}

/// Number, state, limits and name.
fn line(key: &ProjectKey) -> String {
    let state = match key.expires_at {
        _ if !key.is_active => "disabled".to_owned(),
        Some(at) if at <= now_ms() => "expired".to_owned(),
        Some(at) => format!("until {}", until(at)),
        None => "active".to_owned(),
    };
    let limit = |limit: Option<i64>, unset: &str| match limit {
        Some(0) => "no limit".to_owned(),
        Some(events) => events.to_string(),
        None => unset.to_owned(),
    };
    format!(
        "{} {state}, a minute: {}, a month: {}, {}",
        key.id,
        limit(key.minute_limit, "default"),
        limit(key.month_limit, "no limit"),
        one_line(&key.label, 200)
    )
}
