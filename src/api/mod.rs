//! The JSON API, in the shapes that Sentry's clients expect. In: requests under `/api/0/` with a token. Out: JSON.
//! Both forms of each path are served, with and without the last slash: clients do not follow redirects.

mod access;
mod body;
mod cursor;
mod error;
mod events;
mod feedback;
mod format;
mod issues;
mod keys;
mod organization_tokens;
mod organizations;
mod params;
mod projects;
mod releases;
mod root;
mod settings;
mod stats;
mod uploads;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::{Compress, Next, from_fn};
use actix_web::{Error, Resource, web};

use error::ApiError;

/// Mounts the API. Comes after ingest, whose paths have a project's number where this has a 0.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.service(
        web::scope("/api/0")
            .wrap(from_fn(with_headers))
            .wrap(Compress::default())
            .configure(routes)
            .default_service(web::to(nothing_here)),
    );
}

/// All addresses of the API.
fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(at("").get(root::index))
        .service(at("/auth").get(root::user))
        .service(at("/internal/health").get(root::health))
        .service(at("/organizations").get(organizations::list))
        .service(at("/organizations/{org}").get(organizations::show))
        .service(at("/organizations/{org}/projects").get(projects::list))
        .service(
            at("/organizations/{org}/environments").get(projects::environments_of_organization),
        )
        .service(
            at("/organizations/{org}/chunk-upload")
                .get(uploads::chunks::options)
                .post(uploads::chunks::receive),
        )
        .service(
            at("/organizations/{org}/artifactbundle/assemble")
                .post(uploads::assemble::artifact_bundle),
        )
        .service(
            at("/organizations/{org}/org-auth-tokens")
                .get(organization_tokens::list)
                .post(organization_tokens::create),
        )
        .service(
            at("/organizations/{org}/org-auth-tokens/{id}").delete(organization_tokens::delete),
        )
        .service(at("/organizations/{org}/repos").get(releases::show::repositories))
        .service(
            at("/organizations/{org}/releases/{version}/previous-with-commits")
                .get(releases::show::previous_with_commits),
        )
        .service(
            at("/organizations/{org}/releases/{version}/deploys")
                .get(releases::deploys::list)
                .post(releases::deploys::create),
        )
        .service(
            at("/organizations/{org}/releases/{version}/assemble")
                .post(uploads::assemble::of_release),
        )
        .service(at("/organizations/{org}/stats_v2").get(stats::show))
        .service(at("/organizations/{org}/eventids/{event}").get(events::locate))
        .service(at("/organizations/{org}/shortids/{short_id}").get(issues::detail::by_short_id))
        .service(
            at("/projects/{org}/{project}")
                .get(projects::show)
                .put(settings::update),
        )
        .service(
            at("/projects/{org}/{project}/keys")
                .get(keys::list)
                .post(keys::create),
        )
        .service(
            at("/projects/{org}/{project}/keys/{key}")
                .get(keys::show)
                .put(keys::update)
                .delete(keys::delete),
        )
        .service(
            at("/projects/{org}/{project}/files/difs/assemble")
                .post(uploads::debug_files::assemble),
        )
        .service(
            at("/projects/{org}/{project}/files/dsyms")
                .get(uploads::debug_files::list)
                .post(uploads::debug_files::receive)
                .delete(uploads::debug_files::delete),
        )
        .service(
            at("/projects/{org}/{project}/files/dsyms/unknown").get(uploads::debug_files::unknown),
        )
        .service(
            at("/projects/{org}/{project}/files/source-maps")
                .get(uploads::release_archives::list)
                .delete(uploads::release_archives::delete),
        )
        .service(at("/projects/{org}/{project}/environments").get(projects::environments))
        .service(at("/projects/{org}/{project}/events").get(events::of_project))
        .service(at("/projects/{org}/{project}/events/{event}").get(events::show))
        .service(at("/projects/{org}/{project}/events/{event}/json").get(events::stored))
        .service(
            at("/projects/{org}/{project}/events/{event}/attachments")
                .get(events::attachments::list),
        )
        .service(
            at("/projects/{org}/{project}/events/{event}/attachments/{id}")
                .get(events::attachments::one),
        )
        .service(
            at("/projects/{org}/{project}/events/{event}/committers").get(events::committers::show),
        )
        .service(
            at("/projects/{org}/{project}/events/{event}/grouping-info")
                .get(events::grouping::show),
        )
        .service(
            at("/organizations/{org}/issues")
                .get(issues::list::of_organization)
                .put(issues::update::of_organization),
        )
        .service(
            at("/projects/{org}/{project}/issues")
                .get(issues::list::of_project)
                .put(issues::update::of_project),
        );
    for parent in ["/organizations/{org}", "/projects/{org}/{project}"] {
        cfg.service(
            at(&format!("{parent}/releases"))
                .get(releases::show::list)
                .post(releases::change::create),
        )
        .service(at(&format!("{parent}/user-feedback")).get(feedback::list))
        .service(
            at(&format!("{parent}/releases/{{version}}"))
                .get(releases::show::one)
                .put(releases::change::update)
                .delete(releases::change::delete),
        )
        .service(at(&format!("{parent}/releases/{{version}}/commits")).get(releases::show::commits))
        .service(
            at(&format!("{parent}/releases/{{version}}/files"))
                .get(uploads::release_files::list)
                .post(uploads::release_files::create),
        )
        .service(
            at(&format!("{parent}/releases/{{version}}/files/{{file}}"))
                .get(uploads::release_files::one)
                .delete(uploads::release_files::delete),
        );
    }
    // An issue is found below its organization, and also by its number alone.
    for issue in ["/organizations/{org}/issues/{issue}", "/issues/{issue}"] {
        cfg.service(at(issue).get(issues::detail::show).put(issues::update::one))
            .service(at(&format!("{issue}/events")).get(events::of_issue))
            .service(at(&format!("{issue}/events/{{event}}")).get(events::show_of_issue))
            .service(at(&format!("{issue}/tags")).get(issues::tags::list))
            .service(at(&format!("{issue}/tags/{{key}}")).get(issues::tags::show))
            .service(at(&format!("{issue}/tags/{{key}}/values")).get(issues::tags::values))
            .service(
                at(&format!("{issue}/hashes"))
                    .get(issues::hashes::list)
                    .delete(issues::hashes::split_off),
            )
            .service(at(&format!("{issue}/activities")).get(issues::detail::activities));
    }
}

/// A path in both forms; methods it does not know get a JSON answer too.
fn at(path: &str) -> Resource {
    web::resource([format!("{path}/"), path.to_owned()]).default_service(web::to(wrong_method))
}

async fn nothing_here() -> Result<web::Json<()>, ApiError> {
    Err(ApiError::NotFound)
}

async fn wrong_method() -> Result<web::Json<()>, ApiError> {
    Err(ApiError::Method)
}

/// Answers are for one caller and for now: nobody keeps them, and no browser takes them for a page.
async fn with_headers(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    Ok(response)
}
