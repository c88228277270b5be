//! The dashboard: server-rendered pages over the store. In: requests of browsers. Out: HTML that works without
//! JavaScript, redirects after forms, and the few JSON answers that the page's scripts ask for.

mod account;
mod admin;
mod assets;
mod attachments;
mod blocking;
mod chart;
mod error;
mod event;
mod feedback;
mod form;
mod format;
mod highlight;
mod issues;
mod login_limit;
mod page;
mod password;
mod projects;
mod releases;
mod security;
mod session;
mod setup;
mod sign_in;
mod site;
mod start;
mod theme;
mod usage;

use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{ServiceConfig, get, post, resource, scope};

pub use site::Site;

/// Mounts every page. Comes after ingest and the API, as it answers whatever they do not.
pub fn configure(config: &mut ServiceConfig) {
    config.service(
        scope("")
            .wrap(from_fn(security::guard))
            .wrap(Compress::default())
            .configure(routes)
            .default_service(actix_web::web::to(security::nothing_here)),
    );
}

/// All addresses of the dashboard.
fn routes(config: &mut ServiceConfig) {
    config
        .route("/static/{hash}/{name:.*}", get().to(assets::serve))
        .route("/", get().to(start::start))
        .service(
            resource("/setup")
                .route(get().to(setup::show))
                .route(post().to(setup::submit)),
        )
        .service(
            resource("/login")
                .route(get().to(sign_in::show))
                .route(post().to(sign_in::submit)),
        )
        .route("/logout", post().to(sign_in::leave))
        .route("/theme", post().to(theme::switch))
        .service(
            resource("/account")
                .route(get().to(account::show))
                .route(post().to(account::change_password)),
        )
        .configure(admin::routes)
        .service(
            resource(["/{org}/projects/new", "/{org}/projects/new/"])
                .route(get().to(projects::new::show))
                .route(post().to(projects::new::submit)),
        )
        .route("/{org}/projects/", get().to(projects::index::show))
        .route(
            "/{org}/projects/{project}/",
            get().to(projects::settings::show),
        )
        .service(
            resource("/{org}/projects/{project}/grouping")
                .route(get().to(projects::rules::show))
                .route(post().to(projects::rules::submit)),
        )
        .service(
            resource("/{org}/projects/{project}/filters")
                .route(get().to(projects::filters::show))
                .route(post().to(projects::filters::submit)),
        )
        .service(
            resource("/{org}/projects/{project}/scrubbing")
                .route(get().to(projects::scrubbing::show))
                .route(post().to(projects::scrubbing::submit)),
        )
        .service(
            resource("/{org}/scrubbing")
                .route(get().to(projects::scrubbing::show_organization))
                .route(post().to(projects::scrubbing::submit_organization)),
        )
        .service(
            resource("/{org}/projects/{project}/mirror")
                .route(get().to(projects::mirror::show))
                .route(post().to(projects::mirror::submit)),
        )
        .service(
            resource("/{org}/projects/{project}/source-maps")
                .route(get().to(projects::source_maps::show))
                .route(post().to(projects::upload::submit)),
        )
        .route(
            "/{org}/projects/{project}/source-maps/fetching",
            post().to(projects::fetching::submit),
        )
        .route(
            "/{org}/projects/{project}/source-maps/{bundle}/delete",
            post().to(projects::source_maps::delete),
        )
        .route(
            "/{org}/projects/{project}/debug-files",
            get().to(projects::debug_files::show),
        )
        .route(
            "/{org}/projects/{project}/debug-files/{file}/delete",
            post().to(projects::debug_files::delete),
        )
        .route(
            "/{org}/projects/{project}/limits",
            post().to(projects::limits::submit),
        )
        .route(
            "/{org}/projects/{project}/resolve-age",
            post().to(projects::resolve_age::submit),
        )
        .service(
            resource("/{org}/projects/{project}/keys/")
                .route(get().to(projects::keys::show))
                .route(post().to(projects::keys::create)),
        )
        .route(
            "/{org}/projects/{project}/keys/{key}",
            post().to(projects::keys::change),
        )
        .route(
            "/{org}/projects/{project}/keys",
            get().to(start::with_slash),
        )
        .route("/{org}/releases/", get().to(releases::list))
        .route("/{org}/releases/{version}/", get().to(releases::one::show))
        .route(
            "/{org}/releases/{version}",
            get().to(releases::one::with_slash),
        )
        .route("/{org}/feedback/", get().to(feedback::list))
        .route("/{org}/feedback/{id}", post().to(feedback::change))
        .route(
            "/{org}/feedback/{id}/attachments/{attachment}",
            get().to(feedback::file),
        )
        .route("/{org}/usage/", get().to(usage::show))
        .route("/{org}/usage/doctor/", get().to(usage::doctor::show))
        .route("/{org}/usage/doctor/test", post().to(usage::test::submit))
        .route("/{org}/usage/doctor", get().to(start::with_slash))
        .route(
            "/{org}/usage/limits",
            post().to(projects::limits::submit_organization),
        )
        .route(
            "/{org}/projects/{project}/start",
            get().to(projects::first_event::show),
        )
        .route(
            "/{org}/projects/{project}/first-event",
            get().to(projects::first_event::poll),
        )
        .route("/{org}/issues/", get().to(issues::list::show))
        .route("/{org}/issues/fresh", get().to(issues::list::fresh))
        .route(
            "/{org}/issues/status",
            post().to(issues::actions::set_status),
        )
        .route("/{org}/issues/undo", post().to(issues::actions::undo))
        .route("/{org}/issues/merge", post().to(issues::merging::merge))
        .route(
            "/{org}/issues/{issue}/hashes/",
            get().to(issues::merging::show),
        )
        .route(
            "/{org}/issues/{issue}/hashes/",
            post().to(issues::merging::split),
        )
        .route("/{org}/issues/{issue}/", get().to(issues::detail::latest))
        .route(
            "/{org}/issues/{issue}/events/{event}/",
            get().to(issues::detail::named),
        )
        .route(
            "/{org}/issues/{issue}/events/{event}/grouping",
            get().to(issues::grouping::show),
        )
        .route(
            "/{org}/issues/{issue}/events/{event}/reprocess",
            post().to(issues::reprocess::start),
        )
        .route(
            "/{org}/issues/{issue}/events/{event}/json",
            get().to(issues::raw::json),
        )
        .route(
            "/{org}/issues/{issue}/events/{event}/attachments/{id}",
            get().to(issues::beside::file),
        )
        .route(
            "/{org}/issues/{issue}/events/{event}/markdown",
            get().to(issues::raw::markdown),
        )
        .route("/{org}", get().to(start::organization))
        .route("/{org}/", get().to(start::organization))
        // The form without the last slash is what people type.
        .route(
            "/{org}/{page:issues|projects|releases|feedback|usage}",
            get().to(start::with_slash),
        )
        .route(
            "/{org}/issues/{rest:[^/]+(/events/[^/]+|/hashes)?}",
            get().to(start::with_slash),
        )
        .route("/{org}/projects/{rest:[^/]+}", get().to(start::with_slash));
}
