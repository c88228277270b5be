//! Every setting: its flag, environment name, default and one sentence of help.
//! In: arguments and environment. Out: a checked [`Config`], or all mistakes at once.

mod base_url;
mod blobs;
mod limits;
mod outgoing;
mod retention;
mod secrets;
mod telemetry;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

pub use base_url::default as default_base_url;
pub use blobs::BlobArgs;
pub use limits::LimitArgs;
pub use retention::{RetentionArgs, RetentionLimits, parse_bytes};
use secrets::kept_secret_key;
pub use secrets::secret;

use crate::blobs::BlobPlace;
use crate::outgoing::Network;
use crate::store::DatabaseUrl;
pub use outgoing::OutgoingArgs;
pub use telemetry::{TelemetryArgs, TelemetryConfig};

/// The part of a node's work that a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Receives events and writes them to the journal.
    Ingest,
    /// Digests events and runs tasks.
    Worker,
    /// Serves the dashboard and the JSON API.
    Web,
    /// Starts periodic tasks, on one node at a time.
    Scheduler,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Ingest, Self::Worker, Self::Web, Self::Scheduler];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// Where data lives: shared by `serve` and the commands beside it.
#[derive(Debug, Clone, Args)]
pub struct StorageArgs {
    /// Folder for the `SQLite` file, journal and secret key.
    #[arg(
        long,
        env = "BUGLE_DATA_DIR",
        default_value = "./data",
        value_name = "PATH"
    )]
    pub data_dir: PathBuf,

    /// Database: `sqlite:PATH`, `postgres://…` or `mysql://…`; by default `bugle.db` in the data folder.
    #[arg(
        long,
        env = "BUGLE_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub database_url: Option<String>,

    /// Path of a file that holds the database URL.
    #[arg(long, env = "BUGLE_DATABASE_URL_FILE", value_name = "PATH")]
    pub database_url_file: Option<PathBuf>,

    /// Public address, used in DSNs, links and mail; by default made from the listen address.
    #[arg(long, env = "BUGLE_BASE_URL", value_name = "URL")]
    pub base_url: Option<String>,

    /// Address and port to listen on; port 0 takes a free one.
    #[arg(
        long,
        env = "BUGLE_LISTEN",
        default_value = "127.0.0.1:8000",
        value_name = "ADDR"
    )]
    pub listen: SocketAddr,
}

/// How mail leaves.
#[derive(Debug, Clone, Args)]
pub struct MailArgs {
    /// SMTP server, as in `smtp://user:pass@host:587?tls=required`; without it mail is off.
    #[arg(
        long,
        env = "BUGLE_SMTP_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub smtp_url: Option<String>,

    /// Path of a file that holds the SMTP URL.
    #[arg(long, env = "BUGLE_SMTP_URL_FILE", value_name = "PATH")]
    pub smtp_url_file: Option<PathBuf>,

    /// Sender of mails; by default `bugle@` and the host of the public address.
    #[arg(long, env = "BUGLE_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,
}

/// What only a running server needs.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    pub storage: StorageArgs,

    #[command(flatten)]
    pub mail: MailArgs,

    #[command(flatten)]
    pub limits: LimitArgs,

    #[command(flatten)]
    pub telemetry: TelemetryArgs,

    #[command(flatten)]
    pub outgoing: OutgoingArgs,

    #[command(flatten)]
    pub blobs: BlobArgs,

    /// Parts of the work this process does, separated by commas.
    #[arg(
        long,
        env = "BUGLE_ROLES",
        value_enum,
        value_delimiter = ',',
        default_value = "ingest,worker,web,scheduler"
    )]
    pub roles: Vec<Role>,

    /// Redis for several nodes, as in `redis://host:6379/0` or `rediss://…`; without it the embedded queue.
    #[arg(
        long,
        env = "BUGLE_REDIS_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub redis_url: Option<String>,

    /// Path of a file that holds the Redis URL.
    #[arg(long, env = "BUGLE_REDIS_URL_FILE", value_name = "PATH")]
    pub redis_url_file: Option<PathBuf>,

    /// Prefix of all keys in Redis, so that several systems can share one.
    #[arg(
        long,
        env = "BUGLE_REDIS_PREFIX",
        default_value = "bugle",
        value_name = "TEXT"
    )]
    pub redis_prefix: String,

    /// Secret key, at least 32 characters; by default generated and kept in the data folder. Several nodes need the same.
    #[arg(
        long,
        env = "BUGLE_SECRET_KEY",
        value_name = "TEXT",
        hide_env_values = true
    )]
    pub secret_key: Option<String>,

    /// Path of a file that holds the secret key.
    #[arg(long, env = "BUGLE_SECRET_KEY_FILE", value_name = "PATH")]
    pub secret_key_file: Option<PathBuf>,

    /// Addresses of proxies whose `X-Forwarded-*` headers count, separated by commas.
    #[arg(
        long,
        env = "BUGLE_TRUSTED_PROXIES",
        value_delimiter = ',',
        value_name = "ADDRS"
    )]
    pub trusted_proxies: Vec<IpAddr>,

    /// Threads that digest events, by default the number of cores; 0 pauses digestion (the journal keeps).
    #[arg(long, env = "BUGLE_WORKERS", value_name = "COUNT")]
    pub workers: Option<usize>,

    /// Size of the journal in bytes at which ingest answers 503.
    #[arg(long, env = "BUGLE_JOURNAL_LIMIT", default_value_t = 20 * 1024 * 1024 * 1024, value_name = "BYTES")]
    pub journal_limit: u64,

    /// Share of the disk in use, in percent, at which ingest answers 503.
    #[arg(long, env = "BUGLE_DISK_LIMIT", default_value_t = 90, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub disk_limit: u8,

    /// Payloads kept of one issue in a minute before a sample is enough, 0 for all; counts stay exact either way.
    #[arg(
        long,
        env = "BUGLE_SPIKE_LIMIT",
        default_value_t = 1000,
        value_name = "EVENTS"
    )]
    pub spike_limit: u32,

    /// New issues of a project in a minute, on average, before events with unknown fingerprints go to one issue; 25 minutes'
    /// worth may come at once; 0 for no limit.
    #[arg(
        long,
        env = "BUGLE_NEW_ISSUE_LIMIT",
        default_value_t = 200,
        value_name = "ISSUES"
    )]
    pub new_issue_limit: u32,

    #[command(flatten)]
    pub retention: RetentionArgs,

    /// E-mail of the first account, created at start while no account exists.
    #[arg(long, env = "BUGLE_ADMIN_EMAIL", value_name = "EMAIL")]
    pub admin_email: Option<String>,

    /// Password of the first account.
    #[arg(
        long,
        env = "BUGLE_ADMIN_PASSWORD",
        value_name = "TEXT",
        hide_env_values = true
    )]
    pub admin_password: Option<String>,

    /// Path of a file that holds the password of the first account.
    #[arg(long, env = "BUGLE_ADMIN_PASSWORD_FILE", value_name = "PATH")]
    pub admin_password_file: Option<PathBuf>,

    /// Refuse to start when migrations are pending, instead of running them.
    #[arg(long, env = "BUGLE_NO_MIGRATE")]
    pub no_migrate: bool,

    /// Form of the log on standard error.
    #[arg(long, env = "BUGLE_LOG_FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,

    /// Log filter, as in `info` or `bugle=debug`.
    #[arg(long, env = "BUGLE_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,
}

/// The checked settings of a running server.
#[derive(Debug, Clone)]
pub struct Config {
    pub data_dir: PathBuf,
    pub database: DatabaseUrl,
    pub listen: SocketAddr,
    /// As given; [`crate::app::App::base_url`] has the one to use.
    pub base_url: Option<String>,
    pub roles: Vec<Role>,
    pub redis_url: Option<String>,
    pub redis_prefix: String,
    pub secret_key: String,
    pub trusted_proxies: Vec<IpAddr>,
    pub workers: usize,
    pub journal_limit: u64,
    pub disk_limit: u8,
    pub spike_limit: i64,
    pub new_issue_limit: i64,
    pub retention_days: u32,
    pub key_rate_limit: u32,
    pub retention: RetentionLimits,
    pub smtp_url: Option<String>,
    pub mail_from: Option<String>,
    pub admin: Option<(String, String)>,
    pub no_migrate: bool,
    pub telemetry: TelemetryConfig,
    /// Private networks that may be called on behalf of users.
    pub allow_outgoing: Vec<Network>,
    pub blob_place: BlobPlace,
}

/// All mistakes in the settings, a sentence each.
#[derive(Debug, thiserror::Error)]
#[error("the settings cannot be used:\n  - {}", .0.join("\n  - "))]
pub struct ConfigError(pub Vec<String>);

impl StorageArgs {
    /// The database to use; makes sure that the data folder exists.
    pub fn database(&self) -> Result<DatabaseUrl, String> {
        create_data_dir(&self.data_dir).map_err(|error| {
            format!(
                "cannot create the data folder {}: {error}",
                self.data_dir.display()
            )
        })?;
        let given = secret(
            "BUGLE_DATABASE_URL",
            self.database_url.as_ref(),
            self.database_url_file.as_ref(),
        )?;
        let text =
            given.unwrap_or_else(|| format!("sqlite:{}", self.data_dir.join("bugle.db").display()));
        DatabaseUrl::parse(&text).map_err(|error| error.to_string())
    }

    /// The public address when a command makes a DSN or a link, without a trailing slash.
    pub fn public_url(&self) -> Result<String, String> {
        match &self.base_url {
            Some(url) => base_url::checked(url),
            None => Ok(base_url::default(self.listen)),
        }
    }
}

/// Makes the data folder, for its owner only: it holds events, the journal and the secret key. One that is there keeps
/// the rights somebody gave it.
pub fn create_data_dir(folder: &std::path::Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.recursive(true).create(folder)
}

impl ServeArgs {
    /// Checks everything and reports every mistake.
    pub fn check(&self) -> Result<Config, ConfigError> {
        let mut mistakes = Vec::new();
        let mut note = |result: Result<Option<String>, String>| {
            result.unwrap_or_else(|mistake| {
                mistakes.push(mistake);
                None
            })
        };
        let redis_url = note(secret(
            "BUGLE_REDIS_URL",
            self.redis_url.as_ref(),
            self.redis_url_file.as_ref(),
        ));
        let smtp_url = note(secret(
            "BUGLE_SMTP_URL",
            self.mail.smtp_url.as_ref(),
            self.mail.smtp_url_file.as_ref(),
        ));
        let secret_key = note(secret(
            "BUGLE_SECRET_KEY",
            self.secret_key.as_ref(),
            self.secret_key_file.as_ref(),
        ));
        let admin_password = note(secret(
            "BUGLE_ADMIN_PASSWORD",
            self.admin_password.as_ref(),
            self.admin_password_file.as_ref(),
        ));
        let base_url = note(
            self.storage
                .base_url
                .as_deref()
                .map(base_url::checked)
                .transpose(),
        );

        let database = self
            .storage
            .database()
            .map_err(|mistake| mistakes.push(mistake))
            .ok();
        if self.roles.is_empty() {
            mistakes
                .push("--roles needs at least one of ingest, worker, web, scheduler".to_owned());
        }
        let alone = Role::ALL.iter().all(|role| self.roles.contains(role));
        if !alone {
            Self::check_cluster(
                database.as_ref(),
                redis_url.as_deref(),
                secret_key.as_deref(),
                &mut mistakes,
            );
        }
        if let Some(url) = &redis_url
            && !url.starts_with("redis://")
            && !url.starts_with("rediss://")
        {
            mistakes.push("BUGLE_REDIS_URL must start with redis:// or rediss://".to_owned());
        }
        let admin = match (&self.admin_email, admin_password) {
            (Some(email), Some(password)) => Some((email.clone(), password)),
            (None, None) => None,
            _ => {
                mistakes.push(
                    "BUGLE_ADMIN_EMAIL and BUGLE_ADMIN_PASSWORD go together; set both or none"
                        .to_owned(),
                );
                None
            }
        };
        let secret_key = match secret_key {
            Some(key) if key.chars().count() < 32 => {
                mistakes.push("BUGLE_SECRET_KEY needs at least 32 characters; `openssl rand -hex 32` makes one".to_owned());
                None
            }
            Some(key) => Some(key),
            None => kept_secret_key(&self.storage.data_dir)
                .map_err(|mistake| mistakes.push(mistake))
                .ok(),
        };
        if let Some(days) = Some(self.retention.retention_days).filter(|days| *days == 0) {
            mistakes.push(format!(
                "BUGLE_RETENTION_DAYS is {days}; keep events for at least one day"
            ));
        }
        let telemetry = self.telemetry.check(&mut mistakes);
        let allow_outgoing = self.outgoing.check(&mut mistakes);
        let blob_place = self.blobs.check(&self.storage.data_dir, &mut mistakes);
        match (database, secret_key) {
            (Some(database), Some(secret_key)) if mistakes.is_empty() => Ok(Config {
                data_dir: self.storage.data_dir.clone(),
                database,
                listen: self.storage.listen,
                base_url,
                roles: self.roles.clone(),
                redis_url,
                redis_prefix: self.redis_prefix.clone(),
                secret_key,
                trusted_proxies: self.trusted_proxies.clone(),
                workers: self
                    .workers
                    .unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from)),
                journal_limit: self.journal_limit,
                disk_limit: self.disk_limit,
                spike_limit: i64::from(self.spike_limit),
                new_issue_limit: i64::from(self.new_issue_limit),
                retention_days: self.retention.retention_days,
                key_rate_limit: self.limits.key_rate_limit,
                retention: self.retention.limits(),
                smtp_url,
                mail_from: self.mail.mail_from.clone(),
                admin,
                no_migrate: self.no_migrate,
                telemetry,
                allow_outgoing,
                blob_place,
            }),
            _ => Err(ConfigError(mistakes)),
        }
    }

    /// Several nodes share a database, a queue and a key; anything else would lose events or sessions.
    fn check_cluster(
        database: Option<&DatabaseUrl>,
        redis: Option<&str>,
        key: Option<&str>,
        mistakes: &mut Vec<String>,
    ) {
        let roles = "with only some of the roles this is one of several nodes, which";
        if database.is_some_and(|url| url.sqlite_path().is_some()) {
            mistakes.push(format!(
                "{roles} need PostgreSQL or MySQL: set BUGLE_DATABASE_URL"
            ));
        }
        // Without ingest and worker on one node, records reach a worker only through Redis.
        if redis.is_none() {
            mistakes.push(format!("{roles} need Redis: set BUGLE_REDIS_URL"));
        }
        if key.is_none() {
            mistakes.push(format!("{roles} need one common BUGLE_SECRET_KEY"));
        }
    }
}

impl Config {
    pub fn has_role(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// A short digest of the secret key: nodes compare it without telling it.
    pub fn key_fingerprint(&self) -> String {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(format!("bugle node fingerprint {}", self.secret_key));
        hex::encode(&digest[..8])
    }
}
