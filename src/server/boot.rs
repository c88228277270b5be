//! What has to be true before a node works, and what it keeps true. In: a database that may be away. Out: its schema
//! migrated, keys in memory, this node on the list of nodes; each second another look for changes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{ServeError, limits};
use crate::app::App;
use crate::config::Role;
use crate::journal::JournalError;
use crate::model::password;
use crate::store::{
    StoreError, accounts, artifacts, debug_files, dictionaries, keys, migrate, mirrors, nodes,
    organization_settings, project_settings, scraped,
};
use crate::tasks::balance;

const RETRY: Duration = Duration::from_millis(500);
const POLL: Duration = Duration::from_millis(500);
const HEARTBEAT: Duration = Duration::from_secs(4);

/// Prepares the database, waiting for it as long as it is away. False if the order to stop comes first.
pub async fn until_ready(
    app: &Arc<App>,
    mut stopped: watch::Receiver<bool>,
) -> Result<bool, ServeError> {
    let mut said = false;
    loop {
        match prepare(app).await {
            Ok(()) => {
                app.set_booted();
                return Ok(true);
            }
            Err(ServeError::Store(error)) if error.is_infrastructure() || error.is_contention() => {
                if !said {
                    tracing::warn!(%error, "the database is away; ingest goes on for known keys");
                    said = true;
                }
            }
            Err(error) => return Err(error),
        }
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return Ok(false),
            () = tokio::time::sleep(RETRY) => {}
        }
    }
}

async fn prepare(app: &Arc<App>) -> Result<(), ServeError> {
    if !app.config.no_migrate {
        let url = app.config.database.clone();
        let done = tokio::task::spawn_blocking(move || migrate::run(&url))
            .await
            .map_err(std::io::Error::other)??;
        if !done.is_empty() {
            tracing::info!(
                migrations = done.join(", "),
                "the database has this release's schema"
            );
        }
    }
    load_settings(app).await?;
    let fingerprint = app.config.key_fingerprint();
    let uid = app.journal.node();
    let others = app.store.read(nodes::alive).await?;
    if others
        .iter()
        .any(|node| node.uid != uid && node.key_fingerprint != fingerprint)
    {
        return Err(ServeError::KeyDiffers);
    }
    heartbeat(app).await?;
    create_first_account(app).await?;
    if !app.store.read(accounts::any_user).await? {
        println!("set-up token: {}", app.setup_token());
        println!("open {}/setup to create the first account", app.base_url());
    }
    Ok(())
}

/// `BUGLE_ADMIN_EMAIL` and its password count only while there is no account at all.
async fn create_first_account(app: &Arc<App>) -> Result<(), ServeError> {
    let Some((email, password)) = app.config.admin.clone() else {
        return Ok(());
    };
    if app.store.read(accounts::any_user).await? {
        return Ok(());
    }
    let hash = tokio::task::spawn_blocking(move || password::hash(&password))
        .await
        .map_err(std::io::Error::other)?
        .map_err(|error| ServeError::Admin(format!("BUGLE_ADMIN_PASSWORD: {error}")))?;
    let made = app.store.write(move |conn| {
        // Several nodes may start at once.
        if accounts::any_user(conn)? {
            Ok(None)
        } else {
            accounts::create_user(conn, &email, "", &hash, true).map(Some)
        }
    });
    match made.await {
        Ok(Some(user)) => tracing::info!(email = user.email, "created the first account"),
        Ok(None) => {}
        Err(error) if error.is_unique_violation() => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Keys with their limits, and what else the settings version speaks of.
pub(super) async fn load_settings(app: &Arc<App>) -> Result<(), StoreError> {
    // Before the keys, whose version says that this node has all settings.
    let settings = app.store.read(keys::load).await?;
    if app.config.has_role(Role::Ingest) {
        let mirrors = app.store.read(mirrors::active).await?;
        app.mirror.replace(mirrors);
    }
    app.dictionaries
        .replace(app.store.read(dictionaries::load).await?);
    let organizations = app.store.read(organization_settings::all).await?;
    let projects = app.store.read(project_settings::all).await?;
    app.project_settings.replace(&organizations, &projects);
    app.source_maps
        .set_users(app.store.read(artifacts::projects_with_uploads).await?);
    app.source_maps
        .set_fetching(app.store.read(scraped::projects_that_fetch).await?);
    app.symbols
        .set_users(app.store.read(debug_files::projects_with_files).await?);
    app.limits.replace(&settings);
    app.keys.replace(&settings);
    limits::ask_database(app).await
}

async fn heartbeat(app: &Arc<App>) -> Result<(), StoreError> {
    let uid = app.journal.node();
    let name = app.config.listen.to_string();
    let roles: Vec<String> = app
        .config
        .roles
        .iter()
        .map(|role| format!("{role:?}").to_lowercase())
        .collect();
    let roles = roles.join(",");
    let version = app.keys.version().unwrap_or(0);
    let fingerprint = app.config.key_fingerprint();
    app.store
        .write(move |conn| nodes::heartbeat(conn, uid, &name, &roles, version, &fingerprint))
        .await?;
    report_journal(app).await
}

/// What the pages of other nodes say of this one's journal.
async fn report_journal(app: &Arc<App>) -> Result<(), StoreError> {
    let Some(balance) = balance::of_this_node(app).await? else {
        return Ok(());
    };
    let status = app.journal.status();
    let report = nodes::JournalReport {
        accepted: balance.accepted,
        digested: balance.digested(),
        damaged: balance.damaged,
        waiting: balance.waiting,
        journal_bytes: status.bytes as i64,
        oldest_at: status.oldest_ms.unwrap_or(0),
    };
    let uid = app.journal.node();
    app.store
        .write(move |conn| nodes::report(conn, uid, report))
        .await
}

/// Follows the settings version, and says that this node lives.
pub async fn keep_keys_fresh(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let mut last_heartbeat = Instant::now();
    let mut away = false;
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(POLL) => {}
        }
        match look(&app, &mut last_heartbeat).await {
            Ok(()) => {
                if away {
                    tracing::info!("the database is back");
                }
                away = false;
            }
            Err(error) => {
                if !away {
                    tracing::warn!(%error, "the database is away; ingest goes on for known keys");
                }
                away = true;
            }
        }
    }
}

async fn look(app: &Arc<App>, last_heartbeat: &mut Instant) -> Result<(), StoreError> {
    let version = app.store.read(keys::version).await?;
    let changed = app.keys.version() != Some(version);
    if changed {
        load_settings(app).await?;
    }
    if changed || last_heartbeat.elapsed() > HEARTBEAT {
        heartbeat(app).await?;
        *last_heartbeat = Instant::now();
    }
    Ok(())
}

/// Writes the counts of what was refused or not kept into the journal, each second.
pub async fn flush_outcomes(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        match app.outcomes.flush(&app.journal).await {
            Ok(()) | Err(JournalError::Closed) => {}
            Err(error) => tracing::debug!(%error, "counts wait until the journal can be written"),
        }
    }
}

/// Writes what the mirrors did into the database, every other second.
pub async fn flush_mirrors(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    loop {
        let stop = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => true,
            () = tokio::time::sleep(Duration::from_secs(2)) => false,
        };
        let progress = app.mirror.take_progress();
        if !progress.is_empty() {
            let added = progress.clone();
            let written = app
                .store
                .write(move |conn| mirrors::add(conn, &added))
                .await;
            if let Err(error) = written {
                tracing::debug!(%error, "the counts of mirrors wait for the database");
                app.mirror.put_back(progress);
            }
        }
        if stop {
            return;
        }
    }
}

/// Takes this node off the list of the living.
pub async fn leave(app: &Arc<App>) {
    let uid = app.journal.node();
    if let Err(error) = app.store.write(move |conn| nodes::leave(conn, uid)).await {
        tracing::debug!(%error, "this node stays on the list until its heartbeat is missed");
    }
}
