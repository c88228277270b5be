//! A test event from the doctor's page. In: a project. Out: an event that went the way of every other: over HTTP to this
//! node's own address, with a key of the project.

use actix_web::{HttpRequest, HttpResponse, web};

use super::doctor::{self, Tested};
use crate::protocol::event_id::EventId;
use crate::store::{project_keys, scope};
use crate::test_event::TestEvent;
use crate::web::error::PageError;
use crate::web::form::SessionForm;
use crate::web::page::see_other;
use crate::web::site::Site;

/// `POST /{org}/usage/doctor/test`
pub async fn submit(
    site: web::Data<Site>,
    request: HttpRequest,
    form: SessionForm,
    path: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let (organization, user_id) = (path.into_inner(), form.viewer.user().id);
    let Some(address) = site.ingest else {
        return Err(PageError::BadRequest(
            "this node does not receive events; send one to a node with the role ingest, with `bugle send-test-event`".to_owned(),
        ));
    };
    let name = form.fields.get("project").to_owned();
    let (slug, project, key) = {
        let organization = organization.clone();
        site.store
            .read(move |conn| {
                let scope = scope::authorize(conn, user_id, &organization)?;
                let project = scope.project(conn, &name)?;
                let keys = project_keys::list(conn, project.id)?;
                let best = keys.iter().find(|key| key.is_active).or(keys.first());
                let key = best.map(|key| key.public_key.clone());
                Ok((scope.organization().slug.clone(), project, key))
            })
            .await?
    };
    let key = key.ok_or_else(|| {
        PageError::BadRequest("the project has no key; create one first".to_owned())
    })?;
    let id = EventId::random();
    let endpoint = format!("/api/{}/envelope/", project.id);
    let sent = web::block(move || {
        let event = TestEvent {
            id,
            message: "This is a test event from the ingest doctor",
            source: "ingest doctor",
            public_key: &key,
        };
        let host = match address {
            std::net::SocketAddr::V4(address) => address.ip().to_string(),
            std::net::SocketAddr::V6(address) => format!("[{}]", address.ip()),
        };
        event.send(&host, address.port(), &endpoint)
    })
    .await
    .map_err(|error| PageError::BadRequest(error.to_string()))?;
    let tested = match sent {
        Ok(answer) if answer.is_accepted() => {
            return Ok(see_other(&format!(
                "/{slug}/usage/doctor/?project={}&event={id}",
                project.slug
            )));
        }
        Ok(answer) => Tested::Refused {
            status: answer.status,
            body: answer.body,
        },
        Err(problem) => Tested::Unreachable {
            problem: problem.to_string(),
        },
    };
    doctor::draw(
        &site,
        &request,
        &form.viewer,
        organization,
        project.slug,
        Some(tested),
    )
    .await
}
