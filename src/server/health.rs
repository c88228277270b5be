//! Health for probes and people. In: the state of the node. Out: `/health/live` while it runs; `/health/ready` with a
//! row for each component, 503 only when events cannot be made durable.

use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde::Serialize;

use crate::app::App;
use crate::config::Role;
use crate::store::tasks;
use crate::tasks::registry;

const ANSWER_WITHIN: Duration = Duration::from_secs(1);

pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

#[derive(Serialize)]
struct Ready {
    status: &'static str,
    version: &'static str,
    /// Records of this node's journal that are not digested yet.
    backlog: u64,
    /// Tasks that are due or running, where the database tells.
    tasks: Option<i64>,
    components: Vec<Component>,
}

#[derive(Serialize)]
struct Component {
    name: &'static str,
    status: &'static str,
    detail: String,
}

/// A database that does not answer in time is away: whoever asks for health has little patience.
async fn active_tasks(app: &App) -> Result<i64, String> {
    let read = app
        .store
        .read(|conn| tasks::count_active(conn, &registry::names()));
    match tokio::time::timeout(ANSWER_WITHIN, read).await {
        Ok(Ok(count)) => Ok(count),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it does not answer".to_owned()),
    }
}

pub async fn ready(app: web::Data<Arc<App>>) -> HttpResponse {
    let journal = app.journal.status();
    let tasks = active_tasks(&app).await;
    let database_ok = tasks.is_ok() && app.is_booted();
    // A node that knows no keys yet would refuse every event.
    let keys = app.keys.version().is_some() || !app.config.has_role(Role::Ingest);
    let redis = app.redis.as_ref().map(|pulse| pulse.problem());
    let redis_ok = !matches!(redis, Some(Some(_)));
    let serving = journal.writable && keys && !app.is_stopping();
    let status = match (serving, database_ok && redis_ok && journal.loaded) {
        (false, _) => "unavailable",
        (true, false) => "degraded",
        (true, true) => "ok",
    };
    let database = match &tasks {
        _ if !app.is_booted() => "waiting for the database and its migrations".to_owned(),
        Ok(_) => String::new(),
        Err(problem) => problem.clone(),
    };
    let body = Ready {
        status,
        version: env!("CARGO_PKG_VERSION"),
        backlog: journal.backlog,
        tasks: tasks.ok(),
        components: vec![
            Component {
                name: "journal",
                status: if journal.writable {
                    "ok"
                } else {
                    "unavailable"
                },
                detail: format!(
                    "{} bytes, {} damaged records",
                    journal.bytes, journal.damaged
                ),
            },
            Component {
                name: "keys",
                status: if keys { "ok" } else { "unavailable" },
                detail: String::new(),
            },
            Component {
                name: "database",
                status: if database_ok { "ok" } else { "away" },
                detail: database,
            },
            Component {
                name: "redis",
                status: match &redis {
                    None => "off",
                    Some(None) => "ok",
                    Some(Some(_)) => "away",
                },
                detail: redis.flatten().unwrap_or_default(),
            },
            Component {
                name: "mail",
                status: if app.mailer.is_some() { "ok" } else { "off" },
                detail: String::new(),
            },
        ],
    };
    let mut response = if serving {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    response
        .insert_header(("cache-control", "no-store"))
        .json(body)
}
