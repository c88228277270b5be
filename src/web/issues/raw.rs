//! An event as it is stored, for programs and clipboards. In: an issue and an event. Out: JSON, or Markdown.

use actix_web::{HttpResponse, web};
use serde_json::Value;

use super::detail::{self, Target};
use crate::model::names;
use crate::web::blocking;
use crate::web::error::PageError;
use crate::web::event::{self, stack::StackMode};
use crate::web::session::Viewer;
use crate::web::site::Site;

/// `GET /{org}/issues/{issue}/events/{event}/json`
pub async fn json(
    site: web::Data<Site>,
    viewer: Viewer,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, PageError> {
    let (_, _, event) = stored(&site, &viewer, path.into_inner()).await?;
    let text = serde_json::to_string_pretty(&event).map_err(|_| PageError::NotFound)?;
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .body(text + "\n"))
}

/// `GET /{org}/issues/{issue}/events/{event}/markdown`
pub async fn markdown(
    site: web::Data<Site>,
    viewer: Viewer,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, PageError> {
    let (target, short_id, event) = stored(&site, &viewer, path.into_inner()).await?;
    let link = format!(
        "{}/{}/issues/{}/",
        site.base_url, target.organization, target.issue.id
    );
    let text = blocking::run(move || {
        let view = event::view(&event, StackMode::App);
        event::markdown::markdown(&target.issue.title, &short_id, &link, &view)
    })
    .await?;
    Ok(HttpResponse::Ok()
        .content_type("text/markdown; charset=utf-8")
        .body(text))
}

async fn stored(
    site: &Site,
    viewer: &Viewer,
    path: (String, String, String),
) -> Result<(Target, String, Value), PageError> {
    let (organization, issue, event) = path;
    let which = detail::which(&event).ok_or(PageError::NotFound)?;
    let user_id = viewer.user().id;
    let target = site
        .store
        .read(move |conn| Target::find(conn, user_id, &organization, &issue, which))
        .await?;
    let row = target.event.as_ref().ok_or(PageError::NotFound)?;
    let short_id = names::short_id(&target.project.short_prefix, target.issue.short_number);
    let event = detail::json_of(row).ok_or(PageError::NotFound)?;
    Ok((target, short_id, event))
}
