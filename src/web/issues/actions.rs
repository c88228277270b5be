//! Resolve, ignore, reopen, and taking it back. In: a form with issues and a status. Out: the change, and a toast on the
//! page one came from.

use actix_web::{HttpResponse, web};

use super::chosen;
use crate::model::lifecycle::Choice;
use crate::store::{issue_status, now_ms, scope};
use crate::web::error::PageError;
use crate::web::form::SessionForm;
use crate::web::page::{Toast, see_other};
use crate::web::session::local_path;
use crate::web::site::Site;

/// More than any page shows.
const MOST_AT_ONCE: usize = 200;

/// `POST /{org}/issues/status`
pub async fn set_status(
    site: web::Data<Site>,
    form: SessionForm,
    path: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let choice = chosen::choice(&form.fields, now_ms())?;
    let done = match &choice {
        Choice::Review => "reviewed",
        choice => choice.state().status.as_str(),
    };
    let (organization, user_id) = (path.into_inner(), form.viewer.user().id);
    let mut ids = form.fields.numbers("id");
    ids.truncate(MOST_AT_ONCE);
    let changed = site
        .store
        .write(move |conn| {
            let scope = scope::authorize(conn, user_id, &organization)?;
            issue_status::set_status(conn, &scope, &ids, &choice, now_ms())
        })
        .await?;
    let ids: Vec<i64> = changed.iter().map(|change| change.issue_id).collect();
    let what = if ids.is_empty() { "unchanged" } else { done };
    back(&site, form.fields.get("back"), what, &ids)
}

/// `POST /{org}/issues/undo`
pub async fn undo(
    site: web::Data<Site>,
    form: SessionForm,
    path: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let (organization, user_id) = (path.into_inner(), form.viewer.user().id);
    let mut ids = form.fields.numbers("id");
    ids.truncate(MOST_AT_ONCE);
    let undone = site
        .store
        .write(move |conn| {
            let scope = scope::authorize(conn, user_id, &organization)?;
            issue_status::undo(conn, &scope, &ids)
        })
        .await?;
    back(
        &site,
        form.fields.get("back"),
        if undone > 0 { "undone" } else { "unchanged" },
        &[],
    )
}

/// To the page one came from, which says what was done.
pub(super) fn back(
    site: &Site,
    path: &str,
    what: &str,
    ids: &[i64],
) -> Result<HttpResponse, PageError> {
    let mut response = see_other(local_path(path));
    response
        .add_cookie(&Toast::cookie(site, what, ids))
        .map_err(|_| PageError::BadRequest("the cookie could not be set".to_owned()))?;
    Ok(response)
}
