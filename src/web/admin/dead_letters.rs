//! The list of dead letters. In: tasks that failed for good and events that were set aside. Out: a row for each, and
//! what to do with some or all of them.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{Superuser, SuperuserForm};
use crate::app::App;
use crate::protocol::event_id::EventId;
use crate::store::dead_records::{self, DeadRecord};
use crate::store::tasks::{self, DeadTask, NewTask};
use crate::store::{Conn, StoreError, now_ms};
use crate::tasks::kinds::retry_event::RetryEvent;
use crate::web::error::PageError;
use crate::web::format::{When, plural};
use crate::web::page::{Page, Toast, see_other};
use crate::web::site::Site;

/// Entries of each sort on one page.
const PAGE: i64 = 100;
/// Entries that one click on "all" deals with in one transaction.
const STEP: i64 = 500;

pub(super) struct Row {
    /// `e7` for an event, `t7` for a task.
    pub number: String,
    pub title: String,
    pub project: String,
    pub reason: String,
    pub attempts: i32,
    pub age: When,
}

#[derive(Template)]
#[template(path = "admin/dead_letters.html")]
struct ListPage {
    page: Page,
    total: i64,
    rows: Vec<Row>,
    more: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/confirm.html")]
struct ConfirmPage {
    page: Page,
    deletes: bool,
    letters: String,
}

#[derive(serde::Deserialize)]
pub struct From {
    #[serde(default)]
    events: i64,
    #[serde(default)]
    tasks: i64,
}

#[derive(serde::Deserialize)]
pub struct Asked {
    action: String,
}

/// `GET /admin/dead-letters/`
pub async fn show(
    app: web::Data<Arc<App>>,
    request: HttpRequest,
    Superuser(viewer): Superuser,
    from: web::Query<From>,
) -> Result<HttpResponse, PageError> {
    let From {
        events: events_from,
        tasks: tasks_from,
    } = from.into_inner();
    let (total, events, tasks) = app
        .store
        .read(move |conn| {
            Ok((
                total(conn)?,
                dead_records::list(conn, events_from, PAGE)?,
                tasks::dead(conn, tasks_from, PAGE)?,
            ))
        })
        .await?;
    let now = now_ms();
    let more = (events.len() as i64 == PAGE || tasks.len() as i64 == PAGE).then(|| {
        format!(
            "?events={}&tasks={}",
            events.last().map_or(events_from, |event| event.id),
            tasks.last().map_or(tasks_from, |task| task.id)
        )
    });
    let rows = events.into_iter().map(|event| event_row(event, now));
    let page = Page::new("Dead letters", &viewer, &request).about_the_instance("dead_letters");
    let template = ListPage {
        page: page.clone(),
        total,
        rows: rows
            .chain(tasks.into_iter().map(|task| task_row(task, now)))
            .collect(),
        more,
    };
    page.answer(&template)
}

/// `GET /admin/dead-letters/all?action=retry`: asks before anything happens to all of them.
pub async fn confirm(
    app: web::Data<Arc<App>>,
    request: HttpRequest,
    Superuser(viewer): Superuser,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let deletes = match asked.action.as_str() {
        "delete" => true,
        "retry" => false,
        _ => return Err(PageError::NotFound),
    };
    let total = app.store.read(total).await?;
    let page = Page::new("Dead letters", &viewer, &request).about_the_instance("dead_letters");
    let template = ConfirmPage {
        page: page.clone(),
        deletes,
        letters: plural(total, "dead letter", "dead letters"),
    };
    page.answer(&template)
}

/// `POST /admin/dead-letters/all`
pub async fn all(
    app: web::Data<Arc<App>>,
    site: web::Data<Site>,
    form: SuperuserForm,
) -> Result<HttpResponse, PageError> {
    let action = Action::parse(form.fields.get("action"))?;
    note(&form, action, "all dead letters");
    let (mut events_from, mut tasks_from) = (0, 0);
    loop {
        let (events, tasks) = app
            .store
            .read(move |conn| {
                Ok((
                    ids(&dead_records::list(conn, events_from, STEP)?, |event| {
                        event.id
                    }),
                    ids(&tasks::dead(conn, tasks_from, STEP)?, |task| task.id),
                ))
            })
            .await?;
        if events.is_empty() && tasks.is_empty() {
            break;
        }
        events_from = events.last().copied().unwrap_or(events_from);
        tasks_from = tasks.last().copied().unwrap_or(tasks_from);
        act(&app, action, events, tasks).await?;
    }
    Ok(done(&site, action))
}

/// `POST /admin/dead-letters/chosen`
pub async fn chosen(
    app: web::Data<Arc<App>>,
    site: web::Data<Site>,
    form: SuperuserForm,
) -> Result<HttpResponse, PageError> {
    let action = Action::parse(form.fields.get("action"))?;
    let mut events = Vec::new();
    let mut tasks = Vec::new();
    for letter in form.fields.all("letter") {
        match Letter::parse(letter) {
            Some(Letter::Event(id)) => events.push(id),
            Some(Letter::Task(id)) => tasks.push(id),
            None => return Err(PageError::NotFound),
        }
    }
    if events.is_empty() && tasks.is_empty() {
        return Ok(see_other("/admin/dead-letters/"));
    }
    note(&form, action, "chosen dead letters");
    act(&app, action, events, tasks).await?;
    Ok(done(&site, action))
}

/// What to do with dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Retry,
    Delete,
}

impl Action {
    fn parse(text: &str) -> Result<Self, PageError> {
        match text {
            "retry" => Ok(Self::Retry),
            "delete" => Ok(Self::Delete),
            _ => Err(PageError::BadRequest("choose retry or delete".to_owned())),
        }
    }
}

/// The name of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letter {
    Event(i64),
    Task(i64),
}

impl Letter {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (sort, digits) = text.split_at_checked(1)?;
        let id = digits.parse().ok()?;
        match sort {
            "e" => Some(Self::Event(id)),
            "t" => Some(Self::Task(id)),
            _ => None,
        }
    }
}

async fn act(
    app: &App,
    action: Action,
    events: Vec<i64>,
    tasks: Vec<i64>,
) -> Result<(), StoreError> {
    app.store
        .write(move |conn| match action {
            Action::Delete => {
                tasks::delete_dead(conn, &tasks)?;
                dead_records::delete(conn, &events)?;
                Ok(())
            }
            Action::Retry => {
                let retries: Vec<NewTask> = dead_records::known(conn, &events)?
                    .into_iter()
                    .map(|dead_record_id| RetryEvent { dead_record_id }.outbox())
                    .collect();
                tasks::enqueue(conn, &retries)?;
                tasks::revive(conn, &tasks)?;
                Ok(())
            }
        })
        .await?;
    app.tasks_wake.notify_one();
    Ok(())
}

/// What a superuser did with other people's data stands in the log.
fn note(form: &SuperuserForm, action: Action, what: &str) {
    tracing::info!(user = form.viewer.user().id, ?action, what, "dead letters");
}

fn done(site: &Site, action: Action) -> HttpResponse {
    let mut response = see_other("/admin/dead-letters/");
    let word = match action {
        Action::Retry => "letters-retried",
        Action::Delete => "letters-deleted",
    };
    if let Err(error) = response.add_cookie(&Toast::cookie(site, word, &[])) {
        tracing::warn!(%error, "cannot set the toast's cookie");
    }
    response
}

fn total(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(tasks::count_dead(conn)? + dead_records::count(conn)?)
}

fn ids<T>(entries: &[T], id: impl Fn(&T) -> i64) -> Vec<i64> {
    entries.iter().map(id).collect()
}

pub(super) fn event_row(event: DeadRecord, now: i64) -> Row {
    let name = <[u8; 16]>::try_from(event.event_id.as_slice()).map_or_else(
        |_| String::new(),
        |bytes| EventId::from_bytes(bytes).to_string(),
    );
    Row {
        number: format!("e{}", event.id),
        title: format!("event {name}"),
        project: event.project_id.to_string(),
        reason: event.reason,
        attempts: event.attempts,
        age: When::age(event.created_at, now),
    }
}

pub(super) fn task_row(task: DeadTask, now: i64) -> Row {
    Row {
        number: format!("t{}", task.id),
        title: format!("task {}", task.kind),
        project: String::new(),
        reason: task
            .last_error
            .unwrap_or_else(|| "no error was recorded".to_owned()),
        attempts: task.attempts,
        age: When::age(task.created_at, now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_a_sort_and_a_number() {
        assert_eq!(Letter::parse("e7"), Some(Letter::Event(7)));
        assert_eq!(Letter::parse("t12"), Some(Letter::Task(12)));
        for text in ["", "7", "e", "x1", "é1", "e-"] {
            assert_eq!(Letter::parse(text), None, "{text}");
        }
    }
}
