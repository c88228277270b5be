//! A project's inbound filters. In: switches and lists. Out: which events are left out from now on, and what that would have
//! meant for those that are stored.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::dry_run::{self, DryRun};
use super::place::Place;
use crate::process::filter::{Filters, LEGACY_BROWSERS, LegacyBrowser};
use crate::store::accounts::Project;
use crate::store::project_settings::ProjectSettings;
use crate::web::error::PageError;
use crate::web::form::{Fields, SessionForm};
use crate::web::page::Page;
use crate::web::session::Viewer;
use crate::web::site::Site;

const NOT_ALLOWED: PageError = PageError::Forbidden(
    "Members cannot change filters. Ask an admin, manager or owner of the organization.",
);

/// A filter that is on or off.
struct Switch {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    is_on: bool,
}

struct Browser {
    name: &'static str,
    label: &'static str,
    is_on: bool,
}

/// A filter with entries, one a line.
struct List {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    text: String,
}

#[derive(Template)]
#[template(path = "projects/filters.html")]
struct FiltersPage {
    page: Page,
    org: String,
    project: Project,
    switches: Vec<Switch>,
    browsers: Vec<Browser>,
    generations: Vec<Browser>,
    has_generations: bool,
    lists: Vec<List>,
    can_change: bool,
    problems: Vec<String>,
    dry_run: Option<DryRun>,
}

/// `GET /{org}/projects/{project}/filters`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let place = Place::find(&site, &viewer, path.into_inner()).await?;
    let filters = stored(&place.settings);
    draw(&request, &viewer, place, &filters, Vec::new(), None)
}

fn stored(settings: &ProjectSettings) -> Filters {
    serde_json::from_str(&settings.filters).unwrap_or_default()
}

fn draw(
    request: &HttpRequest,
    viewer: &Viewer,
    place: Place,
    filters: &Filters,
    problems: Vec<String>,
    dry_run: Option<DryRun>,
) -> Result<HttpResponse, PageError> {
    let can_change = place.can_change();
    let Place {
        context, project, ..
    } = place;
    let title = format!("Filters of {}", project.name);
    let page = Page::new(title, viewer, request).within(&context, "projects", Some(&project.slug));
    let generations = browsers(filters, LegacyBrowser::is_of_some_versions);
    let template = FiltersPage {
        page: page.clone(),
        org: context.slug().to_owned(),
        project,
        switches: switches(filters),
        browsers: browsers(filters, |choice| !choice.is_of_some_versions()),
        has_generations: generations.iter().any(|browser| browser.is_on),
        generations,
        lists: lists(filters),
        can_change,
        problems,
        dry_run,
    };
    page.answer(&template)
}

fn browsers(filters: &Filters, is_shown: impl Fn(&LegacyBrowser) -> bool) -> Vec<Browser> {
    LEGACY_BROWSERS
        .iter()
        .filter(|choice| is_shown(choice))
        .map(|choice| Browser {
            name: choice.name,
            label: choice.label,
            is_on: filters
                .legacy_browsers
                .iter()
                .any(|name| name == choice.name),
        })
        .collect()
}

fn switches(filters: &Filters) -> Vec<Switch> {
    let switch = |name, label, hint, is_on| Switch {
        name,
        label,
        hint,
        is_on,
    };
    vec![
        switch(
            "browser_extensions",
            "Browser extensions",
            "Errors that start in an extension of somebody's browser",
            filters.browser_extensions,
        ),
        switch(
            "web_crawlers",
            "Web crawlers",
            "Errors that search engines and other robots meet",
            filters.web_crawlers,
        ),
        switch(
            "localhost",
            "Development machines",
            "Events from localhost, by address or by the host of the page",
            filters.localhost,
        ),
        switch(
            "health_checks",
            "Health checks",
            "Errors of requests to /health and the like, or by the probes of load balancers",
            filters.health_checks,
        ),
        switch(
            "chunk_load",
            "Chunks that did not load",
            "Scripts that are gone after a deploy",
            filters.chunk_load,
        ),
        switch(
            "hydration",
            "Hydration errors",
            "Pages of React that differ from what the server rendered, often because of extensions",
            filters.hydration,
        ),
        switch(
            "invalid_csp",
            "Security reports about nothing of yours",
            "Reports without a directive, or about extensions and about:blank",
            filters.invalid_csp,
        ),
    ]
}

fn lists(filters: &Filters) -> Vec<List> {
    let list = |name, label, hint, entries: &[String]| List {
        name,
        label,
        hint,
        text: entries.join("\n"),
    };
    vec![
        list(
            "releases",
            "Releases",
            "Globs, one a line, such as shop@1.*",
            &filters.releases,
        ),
        list(
            "error_messages",
            "Messages",
            "Globs, one a line, on the message or on “type: value”",
            &filters.error_messages,
        ),
        list(
            "ip_addresses",
            "Addresses",
            "IP addresses or networks, one a line, such as 10.0.0.0/8",
            &filters.ip_addresses,
        ),
        list(
            "csp_disallowed_sources",
            "Sources of security reports",
            "Hosts or addresses as globs, one a line",
            &filters.csp_disallowed_sources,
        ),
    ]
}

/// `POST /{org}/projects/{project}/filters`: rehearses or saves what the form says.
pub async fn submit(
    site: web::Data<Site>,
    request: HttpRequest,
    form: SessionForm,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let place = Place::find(&site, &form.viewer, path.into_inner()).await?;
    if !place.can_change() {
        return Err(NOT_ALLOWED);
    }
    let filters = typed(&form.fields);
    let problems = filters.problems();
    let text = serde_json::to_string(&filters).unwrap_or_default();
    if !problems.is_empty() || form.fields.get("do") == "dry-run" {
        let mut run = None;
        if problems.is_empty() {
            let other = ProjectSettings {
                filters: text,
                ..place.settings.clone()
            };
            run = Some(dry_run::dry_run(&site, &place, &other).await?);
        }
        return draw(&request, &form.viewer, place, &filters, problems, run);
    }
    let change = move |present| ProjectSettings {
        filters: text.clone(),
        ..present
    };
    place.save(&site, &form.viewer, "filters", change).await
}

fn typed(fields: &Fields) -> Filters {
    let is_on = |name: &str| fields.get(name) == "on";
    let entries = |name: &str| -> Vec<String> {
        let lines = fields.get(name).lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    };
    Filters {
        localhost: is_on("localhost"),
        legacy_browsers: fields.all("legacy").map(str::to_owned).collect(),
        browser_extensions: is_on("browser_extensions"),
        web_crawlers: is_on("web_crawlers"),
        health_checks: is_on("health_checks"),
        invalid_csp: is_on("invalid_csp"),
        csp_disallowed_sources: entries("csp_disallowed_sources"),
        chunk_load: is_on("chunk_load"),
        hydration: is_on("hydration"),
        releases: entries("releases"),
        error_messages: entries("error_messages"),
        ip_addresses: entries("ip_addresses"),
    }
}
