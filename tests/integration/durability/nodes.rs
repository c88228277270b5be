//! In: two nodes that receive, two that digest and one with the pages, on one database and one Redis. Out: one system: nothing lost,
//! nothing counted twice, whichever node is killed or restarted. Needs PostgreSQL or MariaDB, and `TEST_REDIS_URL`.

use std::time::{Duration, Instant};

use super::load::{Book, Load, Targets, tell};
use crate::harness::database::{Backend, backend};
use crate::harness::http::Anonymous;
use crate::harness::server::{Environment, Server};
use crate::harness::{App, Sdk, poll, redis_keys};

const KEY: &str = "a secret that all of the nodes know, and nobody else";

/// The node with the pages, and the others beside it.
pub struct Cluster {
    pub pages: App,
    nodes: Vec<Node>,
    targets: Targets,
}

struct Node {
    server: Server,
    environment: Environment,
    receives: bool,
}

impl Node {
    fn start(app: &App, roles: &str, name: &str) -> Self {
        let mut environment = app.environment.clone();
        let data = app.data().join(name);
        environment.insert("BUGLE_DATA_DIR".to_owned(), data.display().to_string());
        environment.insert("BUGLE_ROLES".to_owned(), roles.to_owned());
        let node = Self {
            server: Server::start(&[], &environment),
            environment,
            receives: roles.contains("ingest"),
        };
        node.until_ready();
        node
    }

    fn until_ready(&self) {
        poll::until("the node is ready", || {
            Anonymous::new(&self.server.base)
                .get("/health/ready")
                .status
                == 200
        });
    }

    fn backlog(&self) -> u64 {
        let health = Anonymous::new(&self.server.base).get("/health/ready");
        health.json()["backlog"].as_u64().expect("a backlog")
    }

    fn boot(&mut self) {
        self.server = Server::start(&[], &self.environment);
        self.until_ready();
    }
}

impl Cluster {
    /// `None` where the row's database or queue is not made for several nodes.
    pub fn start() -> Option<Self> {
        if !redis_keys::wanted() || backend() == Backend::Sqlite {
            return None;
        }
        let pages = App::with()
            .errors_expected()
            .env("BUGLE_SECRET_KEY", KEY)
            .env("BUGLE_ROLES", "web,scheduler")
            .env("BUGLE_WORKERS", "2")
            .start();
        let nodes: Vec<Node> = [
            ("ingest", "ingest-1"),
            ("ingest", "ingest-2"),
            ("worker", "worker-1"),
            ("worker", "worker-2"),
        ]
        .map(|(roles, name)| Node::start(&pages, roles, name))
        .into();
        let receiving = nodes.iter().filter(|node| node.receives);
        let targets = Targets::of(receiving.map(|node| node.server.base.clone()));
        Some(Self {
            pages,
            nodes,
            targets,
        })
    }

    fn load(&self, book: &Book, senders: usize) -> Load {
        Load::through(&self.targets, &self.pages.sdk(), book, senders)
    }

    /// The SDK of the project `shop`, sending to each of the nodes that receive.
    pub fn sdks(&self) -> Vec<Sdk> {
        let dsn = &self.pages.world().dsn;
        let receiving = self.nodes.iter().filter(|node| node.receives);
        receiving
            .map(|node| Sdk::new(&node.server.base, dsn))
            .collect()
    }

    /// Until all that was received is digested.
    pub fn wait_idle(&self) {
        let mut quiet = 0;
        poll::until_within(Duration::from_secs(150), "all nodes are idle", || {
            let idle = self.nodes.iter().all(|node| node.backlog() == 0);
            quiet = if idle { quiet + 1 } else { 0 };
            quiet == 2
        });
    }

    fn check(&self, book: &Book, what: &str, start: Instant) {
        self.wait_idle();
        book.check_recovery(&self.pages, what, start);
        for node in &self.nodes {
            let text = node.server.log.text().to_lowercase();
            assert!(!text.contains("deadlock"), "{text}");
        }
    }

    pub fn stop(self) {
        for mut node in self.nodes {
            let status = node.server.terminate();
            assert_eq!(status.code(), Some(0), "{}", node.server.log.text());
        }
    }
}

#[test]
fn five_nodes_are_one_system() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let book = Book::default();
    let load = cluster.load(&book, 4);
    poll::until("enough for all", || book.acknowledged() > 400);
    drop(load);
    cluster.check(&book, "five nodes, nothing wrong", Instant::now());
    cluster.stop();
}

#[test]
fn another_worker_takes_over_from_one_that_was_killed() {
    let Some(mut cluster) = Cluster::start() else {
        return;
    };
    let book = Book::default();
    let load = cluster.load(&book, 4);
    poll::until("both are at work", || book.acknowledged() > 200);
    cluster.nodes[2].server.kill();
    let start = Instant::now();
    poll::until("more arrive", || book.acknowledged() > 300);
    drop(load);
    cluster.nodes.remove(2);
    cluster.check(&book, "a worker killed in mid-batch", start);
    cluster.stop();
}

#[test]
fn a_receiving_node_that_was_killed_delivers_when_it_is_back() {
    let Some(mut cluster) = Cluster::start() else {
        return;
    };
    let book = Book::default();
    let load = cluster.load(&book, 4);
    for round in 1..=3 {
        poll::until("both receive", || book.acknowledged() > round * 80);
        let node = &mut cluster.nodes[round % 2];
        let base = node.server.base.clone();
        node.server.kill();
        cluster.targets.replace(&base, "");
        node.boot();
        cluster.targets.replace("", &node.server.base);
    }
    drop(load);
    cluster.check(&book, "receiving nodes killed", Instant::now());
    cluster.stop();
}

#[test]
fn nodes_restarted_one_at_a_time_lose_nothing() {
    let Some(mut cluster) = Cluster::start() else {
        return;
    };
    let book = Book::default();
    let load = cluster.load(&book, 4);
    for number in 0..cluster.nodes.len() {
        let before = book.acknowledged();
        poll::until("the others go on", || book.acknowledged() > before + 40);
        let node = &mut cluster.nodes[number];
        let base = node.server.base.clone();
        // As an upgrade does it: out of the load balancer first.
        if node.receives {
            cluster.targets.replace(&base, "");
        }
        let status = node.server.terminate();
        assert_eq!(status.code(), Some(0), "{}", node.server.log.text());
        node.boot();
        if node.receives {
            cluster.targets.replace("", &node.server.base);
        }
    }
    cluster.pages.server_mut().terminate();
    cluster.pages.boot();
    drop(load);
    tell(&format!(
        "{} acknowledged while restarting",
        book.acknowledged()
    ));
    cluster.check(&book, "nodes restarted one at a time", Instant::now());
    cluster.stop();
}
