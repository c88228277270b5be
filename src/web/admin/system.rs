//! The System page. In: this node's journal, the nodes, the tasks, the ledger. Out: a panel for each subject.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::Superuser;
use crate::app::App;
use crate::journal::Status;
use crate::queue::redis;
use crate::store::ledger::{self, Outcomes};
use crate::store::nodes::{self, Node};
use crate::store::tasks::{self, KindCount};
use crate::store::{dead_records, now_ms};
use crate::tasks::balance::{self, Balance};
use crate::web::blocking;
use crate::web::error::PageError;
use crate::web::format::{When, thousands};
use crate::web::page::Page;

/// How a journal's records ended, in the order of the page.
const OUTCOMES: [(&str, &str, &str); 7] = [
    ("stored", "Stored", "events written"),
    ("duplicate", "Duplicate", "sent again by an SDK"),
    ("filtered", "Filtered", "by a project's filters"),
    ("sampled", "Sampled", "counted in a flood, payload not kept"),
    ("invalid", "Invalid", "no event"),
    ("dead", "Dead", "set aside, see the dead letters"),
    ("counts", "Counts", "records that only count requests"),
];

struct Line {
    name: &'static str,
    note: &'static str,
    number: String,
}

struct BalanceView {
    accepted: String,
    lines: Vec<Line>,
    holds: bool,
    missing: String,
}

struct NodeRow {
    name: String,
    roles: String,
    version: String,
    is_this: bool,
    lives: bool,
    seen: Option<When>,
    waiting: String,
    oldest: Option<When>,
    accepted: String,
    holds: bool,
    missing: String,
}

struct TaskRow {
    kind: String,
    waiting: String,
    running: String,
    failing: String,
    dead: String,
    oldest: Option<When>,
}

struct JournalView {
    backlog: String,
    bytes: String,
    damaged: String,
    oldest: Option<When>,
    writable: bool,
    loaded: bool,
}

/// One line of the panel about the server.
struct Fact {
    name: &'static str,
    value: String,
}

#[derive(Template)]
#[template(path = "admin/system.html")]
struct SystemPage {
    page: Page,
    dead_letters: i64,
    balance: Option<BalanceView>,
    sums: Vec<Line>,
    nodes: Vec<NodeRow>,
    journal: JournalView,
    tasks: Vec<TaskRow>,
    facts: Vec<Fact>,
}

/// `GET /admin/`
pub async fn show(
    app: web::Data<Arc<App>>,
    request: HttpRequest,
    Superuser(viewer): Superuser,
) -> Result<HttpResponse, PageError> {
    let balance = balance::of_this_node(&app).await?;
    let (all_nodes, kinds, sums, dead_letters) = app
        .store
        .read(|conn| {
            Ok((
                nodes::all(conn)?,
                tasks::count_by_kind(conn)?,
                ledger::sums(conn)?,
                tasks::count_dead(conn)? + dead_records::count(conn)?,
            ))
        })
        .await?;
    let now = now_ms();
    let own = app.journal.node();
    let page = Page::new("System", &viewer, &request).about_the_instance("system");
    let template = SystemPage {
        page: page.clone(),
        dead_letters,
        balance: balance.as_ref().map(balance_view),
        sums: lines(&sums),
        nodes: all_nodes
            .into_iter()
            .map(|node| node_row(node, own, now))
            .collect(),
        journal: journal_view(app.journal.status(), now),
        tasks: kinds.into_iter().map(|kind| task_row(kind, now)).collect(),
        facts: facts(&app).await?,
    };
    page.answer(&template)
}

fn lines(outcomes: &Outcomes) -> Vec<Line> {
    OUTCOMES
        .iter()
        .map(|(key, name, note)| Line {
            name,
            note,
            number: thousands(outcomes.get(*key).copied().unwrap_or(0)),
        })
        .collect()
}

fn balance_view(balance: &Balance) -> BalanceView {
    let mut lines = lines(&balance.outcomes);
    lines.push(Line {
        name: "Damaged",
        note: "lost on the disk after they were acknowledged",
        number: thousands(balance.damaged),
    });
    lines.push(Line {
        name: "Waiting",
        note: "in the journal, not digested yet",
        number: thousands(balance.waiting),
    });
    BalanceView {
        accepted: thousands(balance.accepted),
        lines,
        holds: balance.holds(),
        missing: thousands(balance.missing()),
    }
}

fn node_row(node: Node, own: i64, now: i64) -> NodeRow {
    let missing = node.missing();
    NodeRow {
        is_this: node.uid == own,
        lives: node.last_seen > now - nodes::ALIVE_FOR_MS,
        seen: (node.last_seen > 0).then(|| When::ago(node.last_seen, now)),
        waiting: thousands(node.waiting),
        oldest: (node.oldest_at > 0).then(|| When::age(node.oldest_at, now)),
        accepted: thousands(node.accepted),
        holds: missing == 0,
        missing: thousands(missing),
        name: node.name,
        roles: node.roles.replace(',', ", "),
        version: node.version,
    }
}

fn task_row(kind: KindCount, now: i64) -> TaskRow {
    TaskRow {
        waiting: thousands(kind.waiting),
        running: thousands(kind.running),
        failing: thousands(kind.failing),
        dead: thousands(kind.dead),
        oldest: kind
            .oldest_due
            .filter(|due| *due > 0 && *due < now)
            .map(|due| When::age(due, now)),
        kind: kind.kind,
    }
}

fn journal_view(status: Status, now: i64) -> JournalView {
    JournalView {
        backlog: thousands(status.backlog as i64),
        bytes: size(status.bytes),
        damaged: thousands(status.damaged as i64),
        oldest: status.oldest_ms.map(|at| When::age(at, now)),
        writable: status.writable,
        loaded: status.loaded,
    }
}

async fn facts(app: &Arc<App>) -> Result<Vec<Fact>, PageError> {
    let queue = match app.config.redis_url.clone() {
        None => "embedded: workers read the journal".to_owned(),
        Some(url) => {
            let prefix = app.config.redis_prefix.clone();
            match blocking::run(move || redis::depth(&url, &prefix)).await? {
                Ok(entries) => format!(
                    "Redis, {} records in its streams",
                    thousands(entries as i64)
                ),
                Err(_) => "Redis, which does not answer; the journal keeps what arrives".to_owned(),
            }
        }
    };
    let mail = match &app.mailer {
        Some(_) => "on",
        None => "off: BUGLE_SMTP_URL is not set",
    };
    let fact = |name, value| Fact { name, value };
    Ok(vec![
        fact("Version", env!("CARGO_PKG_VERSION").to_owned()),
        fact("Database", app.store.url().backend.name().to_owned()),
        fact("Queue", queue),
        fact("Digest threads", app.config.workers.to_string()),
        fact("Mail", mail.to_owned()),
        fact("Public address", app.base_url().to_owned()),
        fact("Retention", format!("{} days", app.config.retention_days)),
    ])
}

/// "31.4 MiB"
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut amount = bytes as f64;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{bytes} B")
    } else {
        format!("{amount:.1} {}", UNITS[unit])
    }
}
