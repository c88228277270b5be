//! A node, from start to stop. In: the settings. Out: the roles at work, until the order to stop; then everything in
//! flight is finished, the journal is synced, and the process leaves in good order.

mod boot;
mod drain;
mod head;
mod health;
mod http;
mod limits;
mod measured;
mod metrics;
mod readings;
mod reports;
mod slashes;
mod statsd;
mod workers;

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::app::{App, Parts};
use crate::blobs::{BlobError, Blobs};
use crate::config::{Config, Role, create_data_dir, default_base_url};
use crate::ingest::keys::Keys;
use crate::ingest::limits::{Limits as EventLimits, snapshot};
use crate::journal::{Journal, JournalError, Limits};
use crate::mirror::Mirror;
use crate::notify::{MailConfig, MailConfigError, MailError, Mailer};
use crate::outgoing::{Client, Reach};
use crate::store::{Store, StoreError};
use crate::telemetry::{self_report, statsd::Style};
pub use drain::{Drained, drain};
use readings::Readings;

/// Why a node does not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(
        "another bugle serve uses the data folder {0}; stop it first, or choose another --data-dir"
    )]
    Locked(String),
    #[error("cannot use the data folder {folder}: {problem}")]
    DataDir { folder: String, problem: String },
    #[error(
        "there is no journal in {0}: give the data folder of the node with --data-dir, with `journal` in it"
    )]
    NoJournal(String),
    #[error("cannot listen on {address}: {problem}")]
    Listen {
        address: String,
        problem: std::io::Error,
    },
    #[error("{0}")]
    Blobs(#[from] BlobError),
    #[error("{0}")]
    Journal(#[from] JournalError),
    #[error("{0}")]
    MailConfig(#[from] MailConfigError),
    #[error("{0}")]
    Mail(#[from] MailError),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("migrations are pending: {0}. Run `bugle migrate`, or start without --no-migrate")]
    Pending(String),
    #[error("another node has a different secret key: give all nodes the same BUGLE_SECRET_KEY")]
    KeyDiffers,
    #[error("{0}")]
    Admin(String),
    #[error("the server failed: {0}")]
    Io(#[from] std::io::Error),
}

/// In-flight requests get this long after the order to stop.
const GRACE: Duration = Duration::from_secs(5);
/// The last error reports get this long.
const REPORTS_GRACE: Duration = Duration::from_secs(1);

/// Runs a node until SIGTERM or Ctrl-C.
pub async fn serve(config: Config) -> Result<(), ServeError> {
    let _lock = lock_data_dir(&config.data_dir)?;
    if config.no_migrate {
        refuse_pending(&config).await?;
    }
    let journal = open_journal(&config)?;
    let listener = listen(config.listen)?;
    let metrics_listener = config.telemetry.metrics_listen.map(listen).transpose()?;
    let address = listener.local_addr()?;
    reports::start(&config);
    let app = assemble(config, journal, address)?;
    let (stop, stopped) = watch::channel(false);
    // Ingest listens before anything else: what arrives during a migration is kept.
    let readings = Arc::new(Readings::new(Arc::clone(&app)));
    let server = http::start(&app, &readings, listener)?;
    let handle = server.handle();
    println!("listening on http://{address}");
    let metrics = metrics_listener
        .map(|listener| serve_metrics(&app, &readings, listener))
        .transpose()?;
    let mut running = tokio::spawn(server);
    let mut background = tokio::spawn(run_roles(Arc::clone(&app), readings, stopped));

    let result = tokio::select! {
        () = order_to_stop() => Ok(()),
        ended = &mut background => match ended {
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) | Err(_) => Err(ServeError::Io(std::io::Error::other("background work ended"))),
        },
        ended = &mut running => Err(ServeError::Io(match ended {
            Ok(Err(error)) => error,
            Ok(Ok(())) | Err(_) => std::io::Error::other("the HTTP server ended"),
        })),
    };
    tracing::info!("stopping: finishing what is in flight");
    app.set_stopping();
    // Whoever is told of a stop that nobody waits for has left already.
    let _ = stop.send(true);
    if tokio::time::timeout(GRACE, handle.stop(true))
        .await
        .is_err()
    {
        tracing::warn!("some requests did not finish in time");
    }
    if result.is_ok()
        && !background.is_finished()
        && tokio::time::timeout(GRACE, background).await.is_err()
    {
        tracing::warn!(
            "some background work did not finish in time; it goes on after the next start"
        );
    }
    if let Err(error) = app.outcomes.flush(&app.journal).await {
        tracing::warn!(%error, "the last counts of refused requests are lost");
    }
    let journal = app.journal.clone();
    tokio::task::spawn_blocking(move || journal.close())
        .await
        .map_err(std::io::Error::other)?;
    if let Some(metrics) = metrics {
        metrics.stop(false).await;
    }
    let reported = tokio::task::spawn_blocking(|| self_report::flush(REPORTS_GRACE));
    reported.await.map_err(std::io::Error::other)?;
    if result.is_ok() {
        tracing::info!("stopped");
    }
    result
}

fn open_journal(config: &Config) -> Result<Journal, JournalError> {
    let limits = Limits {
        bytes: config.journal_limit,
        disk_percent: config.disk_limit,
    };
    Journal::open(&config.data_dir.join("journal"), limits)
}

/// The handles of a node that is reached at `address`.
fn assemble(config: Config, journal: Journal, address: SocketAddr) -> Result<Arc<App>, ServeError> {
    let base_url = config
        .base_url
        .clone()
        .unwrap_or_else(|| default_base_url(address));
    let mailer = match &config.smtp_url {
        Some(url) => Some(Mailer::new(MailConfig::new(
            url,
            config.mail_from.as_deref(),
            &base_url,
        )?)?),
        None => None,
    };
    let (keys, settings) = Keys::open(&config.data_dir);
    let event_limits = EventLimits::new(
        i64::from(config.key_rate_limit),
        snapshot::load(&config.data_dir),
    );
    if let Some(settings) = &settings {
        event_limits.replace(settings);
    }
    let outgoing = Client::new(Reach::PublicAnd(config.allow_outgoing.clone()));
    Ok(Arc::new(App::new(Parts {
        mirror: Arc::new(Mirror::open(&config.data_dir, outgoing.clone())),
        outgoing,
        blobs: Blobs::open(&config.blob_place, config.data_dir.join("uploads"))?,
        store: Store::new(config.database.clone()),
        keys: Arc::new(keys),
        limits: Arc::new(event_limits),
        journal,
        mailer,
        base_url,
        config,
    })))
}

/// What this node does besides answering requests.
async fn run_roles(
    app: Arc<App>,
    readings: Arc<Readings>,
    stopped: watch::Receiver<bool>,
) -> Result<(), ServeError> {
    let telemetry = &app.config.telemetry;
    let pusher = telemetry.statsd.clone().map(|server| {
        let style = Style {
            prefix: telemetry.statsd_prefix.clone(),
            tags: telemetry.statsd_tags,
        };
        tokio::spawn(statsd::run(readings, server, style, stopped.clone()))
    });
    let flusher = tokio::spawn(boot::flush_outcomes(Arc::clone(&app), stopped.clone()));
    // The database may be away for this node only: what arrives goes to those who reach it.
    let forwarder = workers::start_forwarder(&app);
    let counts = tokio::spawn(limits::keep(Arc::clone(&app), stopped.clone()));
    if !boot::until_ready(&app, stopped.clone()).await? {
        return join(forwarder).await;
    }
    let mut parts = tokio::task::JoinSet::new();
    parts.spawn(boot::keep_keys_fresh(Arc::clone(&app), stopped.clone()));
    parts.spawn(boot::flush_mirrors(Arc::clone(&app), stopped.clone()));
    let threads = workers::start(&app)?;
    if app.config.has_role(Role::Worker) {
        parts.spawn(crate::tasks::runner::run(Arc::clone(&app), stopped.clone()));
    }
    if app.config.has_role(Role::Scheduler) {
        let holder = format!("node-{}", app.journal.node());
        parts.spawn(crate::tasks::schedule::run(
            Arc::clone(&app),
            holder,
            stopped.clone(),
        ));
    }
    let mut stopped = stopped;
    // An error means that the sender is gone, which is the order to stop as well.
    let _ = stopped.wait_for(|stop| *stop).await;
    while parts.join_next().await.is_some() {}
    forwarder.stop();
    join(threads).await?;
    join(forwarder).await?;
    flusher.await.map_err(std::io::Error::other)?;
    counts.await.map_err(std::io::Error::other)?;
    if let Some(pusher) = pusher {
        pusher.await.map_err(std::io::Error::other)?;
    }
    boot::leave(&app).await;
    Ok(())
}

async fn join(threads: workers::Threads) -> Result<(), ServeError> {
    tokio::task::spawn_blocking(move || threads.join())
        .await
        .map_err(std::io::Error::other)?;
    Ok(())
}

fn listen(address: std::net::SocketAddr) -> Result<std::net::TcpListener, ServeError> {
    std::net::TcpListener::bind(address).map_err(|problem| ServeError::Listen {
        address: address.to_string(),
        problem,
    })
}

/// Answers Prometheus on an address of its own.
fn serve_metrics(
    app: &Arc<App>,
    readings: &Arc<Readings>,
    listener: std::net::TcpListener,
) -> std::io::Result<actix_web::dev::ServerHandle> {
    let address = listener.local_addr()?;
    let endpoint = metrics::Endpoint {
        readings: Arc::clone(readings),
        token: app.config.telemetry.metrics_token.clone(),
        alone: true,
    };
    let server = metrics::start(endpoint, listener)?;
    let handle = server.handle();
    tokio::spawn(server);
    println!("metrics on http://{address}/metrics");
    Ok(handle)
}

fn lock_data_dir(folder: &Path) -> Result<File, ServeError> {
    let problem = |error: std::io::Error| ServeError::DataDir {
        folder: folder.display().to_string(),
        problem: error.to_string(),
    };
    create_data_dir(folder).map_err(problem)?;
    let file = File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(folder.join("lock"))
        .map_err(problem)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(ServeError::Locked(folder.display().to_string()))
        }
        Err(std::fs::TryLockError::Error(error)) => Err(problem(error)),
    }
}

/// A database that is away is no reason not to start: the journal keeps what arrives.
async fn refuse_pending(config: &Config) -> Result<(), ServeError> {
    let url = config.database.clone();
    let pending = tokio::task::spawn_blocking(move || crate::store::migrate::pending(&url))
        .await
        .map_err(std::io::Error::other)?;
    match pending {
        Ok(pending) if pending.is_empty() => Ok(()),
        Ok(pending) => Err(ServeError::Pending(pending.join(", "))),
        Err(error) if error.is_infrastructure() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn order_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        // Without the signal, Ctrl-C is what is left.
        return drop(tokio::signal::ctrl_c().await);
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
