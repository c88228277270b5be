//! In: what a test wants of its server. Out: the real binary on a free port with a database, data folder and queue of
//! its own, and clients to talk to it. When a test ends, nothing may be left waiting and nothing may have gone wrong.

pub mod api;
pub mod cli;
pub mod database;
pub mod http;
pub mod live;
pub mod mime;
pub mod poll;
pub mod proxy;
pub mod redis_keys;
pub mod redis_server;
pub mod relay;
pub mod scrape;
pub mod sdk;
pub mod server;
pub mod site;
pub mod smtp;
pub mod tracker;
pub mod visitor;
pub mod world;

use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

pub use api::Api;
pub use cli::Finished;
pub use http::{Anonymous, Response};
pub use sdk::Sdk;
pub use smtp::Mailbox;
pub use visitor::Visitor;
pub use world::{OWNER, PASSWORD, STRANGER, World};

use database::Database;
use redis_keys::RedisKeys;
use server::{Environment, Server};

/// What differs from the usual server: default settings, the world of `world.rs`, mail off.
#[derive(Default)]
pub struct Plan {
    environment: Environment,
    empty: bool,
    errors_expected: bool,
}

impl Plan {
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn mail_to(self, mailbox: &Mailbox) -> Self {
        self.env("BUGLE_SMTP_URL", &mailbox.url())
            .env("BUGLE_MAIL_FROM", "bugle@example.com")
    }

    /// A database nobody has used, not even for a migration.
    pub fn empty(mut self) -> Self {
        self.empty = true;
        self
    }

    /// For tests that break something on purpose, so that the log may complain.
    pub fn errors_expected(mut self) -> Self {
        self.errors_expected = true;
        self
    }

    pub fn start(self) -> App {
        let mut app = self.prepare();
        app.boot();
        app
    }

    /// Everything but the running server.
    pub fn prepare(self) -> App {
        let data = TempDir::new().expect("a temporary folder");
        let (world, database) = if self.empty {
            (None, Database::empty(data.path()))
        } else {
            let (world, database) = world::clone_into(data.path());
            (Some(world), database)
        };
        let redis = RedisKeys::fresh();
        let mut environment = world::environment(data.path(), &database);
        if let Some(redis) = &redis {
            environment.insert("BUGLE_REDIS_URL".to_owned(), redis.url.clone());
            environment.insert("BUGLE_REDIS_PREFIX".to_owned(), redis.prefix.clone());
        }
        environment.extend(self.environment);
        App {
            server: None,
            environment,
            world,
            errors_expected: self.errors_expected,
            killed: false,
            redis,
            database,
            data,
        }
    }
}

/// Fields drop from top to bottom: the server before what it stands on.
pub struct App {
    server: Option<Server>,
    pub environment: Environment,
    world: Option<World>,
    errors_expected: bool,
    /// A task that a killed process had claimed is taken up when its lease ends, in under a minute: no test waits for it.
    killed: bool,
    pub redis: Option<RedisKeys>,
    pub database: Database,
    data: TempDir,
}

impl App {
    pub fn start() -> Self {
        Plan::default().start()
    }

    pub fn with() -> Plan {
        Plan::default()
    }

    /// Starts the server, or starts it again after `kill` or `terminate`.
    pub fn boot(&mut self) {
        self.check_log();
        self.server = Some(Server::start(&[], &self.environment));
        poll::until("the server is ready", || {
            self.anonymous().get("/health/ready").status == 200
        });
    }

    /// Starts a server that may end at any moment.
    pub fn boot_unsteady(&mut self) {
        self.check_log();
        self.server = Some(Server::start(&[], &self.environment));
    }

    /// Starts a server that ends by itself.
    pub fn boot_to_crash(&mut self) {
        self.boot_unsteady();
        poll::until("the server crashes", || !self.server_mut().running());
    }

    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("the server was started")
    }

    pub fn server_mut(&mut self) -> &mut Server {
        self.server.as_mut().expect("the server was started")
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.killed = true;
        self.server_mut().kill();
    }

    pub fn base(&self) -> &str {
        &self.server().base
    }

    pub fn data(&self) -> &Path {
        self.data.path()
    }

    pub fn world(&self) -> &World {
        self.world
            .as_ref()
            .expect("the test did not ask for an empty database")
    }

    pub fn anonymous(&self) -> Anonymous {
        Anonymous::new(self.base())
    }

    /// The SDK of the project `shop`.
    pub fn sdk(&self) -> Sdk {
        self.sdk_of(&self.world().dsn)
    }

    pub fn sdk_of(&self, dsn: &str) -> Sdk {
        Sdk::new(self.base(), dsn)
    }

    /// The JSON API with the owner's token.
    pub fn api(&self) -> Api {
        Api::new(self.base(), &self.world().token)
    }

    /// A browser without JavaScript, signed in as the owner.
    pub fn user(&self) -> Visitor {
        let visitor = self.visitor();
        visitor.sign_in(OWNER, PASSWORD);
        visitor
    }

    pub fn visitor(&self) -> Visitor {
        Visitor::new(self.base())
    }

    pub fn cli(&self, arguments: &[&str]) -> Finished {
        cli::run(&self.environment, arguments)
    }

    pub fn health(&self) -> Value {
        self.anonymous().get("/health/ready").expect(200).json()
    }

    /// Until everything acknowledged is digested and every due task is done.
    #[track_caller]
    pub fn wait_idle(&self) {
        // A killed worker's share of a stream is taken up within a minute.
        let deadline = poll::DEADLINE * if self.redis.is_some() { 3 } else { 1 };
        self.wait_idle_within(deadline);
    }

    #[track_caller]
    pub fn wait_idle_within(&self, deadline: Duration) {
        let mut quiet = 0;
        let mut health = Value::Null;
        let idle = poll::holds_within(deadline, || {
            health = self.health();
            let waiting = sum(&health, "backlog").expect("health tells the backlog");
            // Without its database the server cannot tell, so there may be some.
            let due = if self.killed {
                Some(0)
            } else {
                sum(&health, "tasks")
            };
            let idle = waiting == 0 && due == Some(0);
            quiet = if idle { quiet + 1 } else { 0 };
            quiet == 2
        });
        assert!(idle, "still busy after {deadline:?}: {health:#}");
    }

    /// The only issue that a query finds.
    #[track_caller]
    pub fn only_issue(&self, query: &str) -> Value {
        let mut issues = self.api().issues(query);
        assert_eq!(issues.len(), 1, "issues for {query:?}: {issues:#?}");
        issues.remove(0)
    }

    fn check_log(&self) {
        let Some(server) = &self.server else { return };
        let complaints = server.log.complaints();
        assert!(
            self.errors_expected || complaints.is_empty(),
            "the server's log complains:\n{}",
            complaints.join("\n")
        );
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if self.server.is_none() {
            return;
        }
        if thread::panicking() {
            let lines = self.server().log.lines();
            let from = lines.len().saturating_sub(60);
            eprintln!("--- the server's last lines\n{}", lines[from..].join("\n"));
            return;
        }
        let digesting = self
            .environment
            .get("BUGLE_WORKERS")
            .is_none_or(|workers| workers != "0");
        if self.server_mut().running() {
            if digesting && !self.errors_expected {
                self.wait_idle();
            }
            let status = self.server_mut().terminate();
            assert_eq!(
                status.code(),
                Some(0),
                "SIGTERM: {status}\n{}",
                self.server().log.text()
            );
        }
        self.check_log();
    }
}

/// The sum of all numbers of that name, wherever they stand in the JSON; `None` if there is none.
fn sum(value: &Value, name: &str) -> Option<u64> {
    match value {
        Value::Object(map) => {
            let own = map.get(name).and_then(Value::as_u64);
            map.values()
                .filter_map(|inner| sum(inner, name))
                .chain(own)
                .reduce(|a, b| a + b)
        }
        Value::Array(list) => list
            .iter()
            .filter_map(|inner| sum(inner, name))
            .reduce(|a, b| a + b),
        _ => None,
    }
}
