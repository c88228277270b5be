//! Processing an event again, after its source map was uploaded. In: an issue and an event. Out: a task, and the event's page.

use actix_web::{HttpResponse, web};

use super::detail::{self, Target};
use crate::store::{StoreError, tasks};
use crate::tasks::kinds::reprocess_event;
use crate::web::error::PageError;
use crate::web::form::SessionForm;
use crate::web::page::see_done;
use crate::web::site::Site;

/// `POST /{org}/issues/{issue}/events/{event}/reprocess`
pub async fn start(
    site: web::Data<Site>,
    form: SessionForm,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, PageError> {
    let (organization, issue, event) = path.into_inner();
    let which = detail::which(&event).ok_or(PageError::NotFound)?;
    let user_id = form.viewer.user().id;
    let target = site
        .store
        .write(move |conn| {
            let target = Target::find(conn, user_id, &organization, &issue, which)?;
            let row = target.event.as_ref().ok_or(StoreError::NotFound)?.id;
            tasks::enqueue(conn, &[reprocess_event::of(row)])?;
            Ok(target)
        })
        .await?;
    let row = target.event.as_ref().ok_or(PageError::NotFound)?;
    let page = format!(
        "/{}/issues/{}/events/{}/",
        target.organization,
        target.issue.id,
        hex::encode(&row.event_id)
    );
    see_done(&site, &page, "reprocess")
}
