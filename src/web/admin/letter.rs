//! One dead letter. In: its number. Out: what is known of it and what it holds: the scrubbed event or a task's arguments
//! at once, what an SDK sent only after a click that is noted in the log.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde_json::Value;

use super::dead_letters::{Letter, Row, event_row, task_row};
use super::{Superuser, SuperuserForm};
use crate::app::App;
use crate::journal::Record;
use crate::store::{dead_records, now_ms, tasks};
use crate::tasks::kinds::retry_event;
use crate::web::error::PageError;
use crate::web::format::When;
use crate::web::page::Page;
use crate::web::session::Viewer;

#[derive(Template)]
#[template(path = "admin/letter.html")]
struct LetterPage {
    page: Page,
    row: Row,
    first: Option<When>,
    last: Option<When>,
    /// What may be shown, or why nothing can be.
    payload: Option<Result<String, String>>,
    /// It holds what scrubbing removes.
    is_raw: bool,
}

/// `GET /admin/dead-letters/{letter}/`
pub async fn show(
    app: web::Data<Arc<App>>,
    request: HttpRequest,
    Superuser(viewer): Superuser,
    path: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    draw(&app, &request, &viewer, &path, false).await
}

/// `POST /admin/dead-letters/{letter}/raw`: what the SDK sent, unscrubbed.
pub async fn raw(
    app: web::Data<Arc<App>>,
    request: HttpRequest,
    form: SuperuserForm,
    path: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    tracing::info!(
        user = form.viewer.user().id,
        letter = &*path,
        "a superuser looks at an event that is not scrubbed"
    );
    draw(&app, &request, &form.viewer, &path, true).await
}

async fn draw(
    app: &App,
    request: &HttpRequest,
    viewer: &Viewer,
    letter: &str,
    with_raw: bool,
) -> Result<HttpResponse, PageError> {
    let now = now_ms();
    let page = Page::new(format!("Dead letter {letter}"), viewer, request)
        .about_the_instance("dead_letters");
    let template = match Letter::parse(letter).ok_or(PageError::NotFound)? {
        Letter::Task(id) => {
            let task = app
                .store
                .read(move |conn| tasks::find_dead(conn, id))
                .await?;
            LetterPage {
                page: page.clone(),
                payload: Some(Ok(pretty(task.args.as_bytes()))),
                row: task_row(task, now),
                first: None,
                last: None,
                is_raw: false,
            }
        }
        Letter::Event(id) => {
            let (event, kept) = app
                .store
                .read(move |conn| {
                    Ok((
                        dead_records::find(conn, id)?,
                        dead_records::record(conn, id)?,
                    ))
                })
                .await?;
            let kept = kept.ok_or(PageError::NotFound)?;
            let is_raw = event.form().is_unscrubbed();
            let moment = |at: i64| (at > 0).then(|| When::ago(at, now));
            LetterPage {
                page: page.clone(),
                payload: (!is_raw || with_raw).then(|| {
                    retry_event::opened(app, kept).map(|record: Record| pretty(record.payload()))
                }),
                first: moment(event.first_failure_at),
                last: moment(event.last_failure_at),
                row: event_row(event, now),
                is_raw,
            }
        }
    };
    page.answer(&template)
}

/// JSON with line breaks; anything else as text.
fn pretty(bytes: &[u8]) -> String {
    serde_json::from_slice::<Value>(bytes)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned())
}
