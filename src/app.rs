//! The handles that everything shares, built once. In: the settings. Out: an `App`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::blobs::Blobs;
use crate::config::Config;
use crate::ingest::keys::Keys;
use crate::ingest::limits::Limits;
use crate::ingest::outcome::Outcomes;
use crate::journal::Journal;
use crate::mirror::Mirror;
use crate::model::seal::Seal;
use crate::notify::Mailer;
use crate::outgoing::Client;
use crate::queue::redis::Pulse;
use crate::store::Store;
use crate::store::dictionaries::Dictionaries;
use crate::store::digest::Cache;
use crate::tasks::native::SymbolCache;
use crate::tasks::project_settings::ProjectSettings;
use crate::tasks::source_maps::MapCache;

pub struct App {
    pub config: Config,
    pub store: Store,
    pub keys: Arc<Keys>,
    pub limits: Arc<Limits>,
    pub outcomes: Arc<Outcomes>,
    pub journal: Journal,
    pub mailer: Option<Mailer>,
    /// How Redis is, where there is one.
    pub redis: Option<Arc<Pulse>>,
    /// Of what SDKs sent and could not be processed.
    pub seal: Seal,
    pub mirror: Arc<Mirror>,
    /// For calls to other servers, on behalf of users.
    pub outgoing: Client,
    /// What builds uploaded.
    pub blobs: Blobs,
    pub digest_cache: Cache,
    pub dictionaries: Dictionaries,
    pub project_settings: ProjectSettings,
    pub source_maps: MapCache,
    pub symbols: SymbolCache,
    /// Events stored by this node since it started.
    pub stored: AtomicU64,
    /// Rung when a transaction wrote tasks.
    pub tasks_wake: tokio::sync::Notify,
    base_url: String,
    booted: AtomicBool,
    stopping: AtomicBool,
}

/// The parts of an [`App`] that starting it makes.
pub struct Parts {
    pub config: Config,
    pub store: Store,
    pub keys: Arc<Keys>,
    pub limits: Arc<Limits>,
    pub journal: Journal,
    pub mailer: Option<Mailer>,
    pub mirror: Arc<Mirror>,
    pub outgoing: Client,
    pub blobs: Blobs,
    pub base_url: String,
}

impl App {
    pub fn new(parts: Parts) -> Self {
        let Parts {
            config,
            store,
            keys,
            limits,
            journal,
            mailer,
            mirror,
            outgoing,
            blobs,
            base_url,
        } = parts;
        Self {
            redis: config.redis_url.as_ref().map(|_| Arc::default()),
            seal: Seal::new(&config.secret_key, "dead letters"),
            config,
            store,
            keys,
            limits,
            outcomes: Arc::new(Outcomes::default()),
            journal,
            mailer,
            mirror,
            outgoing,
            blobs,
            digest_cache: Cache::default(),
            dictionaries: Dictionaries::default(),
            project_settings: ProjectSettings::default(),
            source_maps: MapCache::default(),
            symbols: SymbolCache::default(),
            stored: AtomicU64::new(0),
            tasks_wake: tokio::sync::Notify::new(),
            base_url,
            booted: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        }
    }

    /// The public address, without a trailing slash: links, DSNs and mail begin with it.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The token that opens the set-up page while no account exists: the same after a restart and on every node.
    pub fn setup_token(&self) -> String {
        let digest = Sha256::digest(format!("bugle set-up {}", self.config.secret_key));
        hex::encode(&digest[..12])
    }

    /// The database was reached and has this release's schema.
    pub fn is_booted(&self) -> bool {
        self.booted.load(Ordering::Acquire)
    }

    pub fn set_booted(&self) {
        self.booted.store(true, Ordering::Release);
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Release);
    }
}
