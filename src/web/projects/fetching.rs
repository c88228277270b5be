//! Whether a project has public source maps fetched. In: a form, and what was fetched. Out: the setting, kept; and what waits or failed, for
//! the page of source maps.

use actix_web::{HttpResponse, web};

use super::place::Place;
use crate::store::project_settings::ProjectSettings;
use crate::store::scraped::{self, ScrapedScript, state};
use crate::web::error::PageError;
use crate::web::form::SessionForm;
use crate::web::format::When;
use crate::web::site::Site;

const NOT_ALLOWED: PageError = PageError::Forbidden(
    "Members cannot change this. Ask an admin, manager or owner of the organization.",
);

/// Scripts that the page knows of.
pub const LISTED: i64 = 400;
/// Failures that it shows.
const MOST_FAILED: usize = 20;

/// How fetching fares.
pub struct Fetching {
    pub is_on: bool,
    pub waiting: usize,
    pub failed: Vec<Failure>,
}

/// A script that could not be fetched.
pub struct Failure {
    pub url: String,
    pub problem: String,
    pub when: When,
}

impl Fetching {
    pub fn new(is_on: bool, scripts: &[ScrapedScript], now: i64) -> Self {
        let of_state = |wanted: &'static str| {
            scripts
                .iter()
                .filter(move |script| is_on && script.state == wanted)
        };
        Self {
            is_on,
            waiting: of_state(state::WAITING).count(),
            failed: of_state(state::ERROR)
                .take(MOST_FAILED)
                .map(|script| Failure {
                    url: script.url.clone(),
                    problem: script.problem.clone().unwrap_or_default(),
                    when: When::ago(script.changed_at, now),
                })
                .collect(),
        }
    }
}

/// `POST /{org}/projects/{project}/source-maps/fetching`
pub async fn submit(
    site: web::Data<Site>,
    form: SessionForm,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let place = Place::find(&site, &form.viewer, path.into_inner()).await?;
    if !place.can_change() {
        return Err(NOT_ALLOWED);
    }
    let fetch_source_maps = form.fields.get("fetch") == "on";
    let project = place.project.clone();
    site.store
        .write(move |conn| scraped::forget_failures(conn, &project))
        .await?;
    let change = move |present| ProjectSettings {
        fetch_source_maps,
        ..present
    };
    place.save(&site, &form.viewer, "source-maps", change).await
}
