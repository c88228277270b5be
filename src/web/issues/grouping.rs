//! Why an event is in its issue. In: an issue and an event. Out: the page that shows what made its fingerprint, which rule decided,
//! and what became of each frame.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde_json::Value;

use super::detail::{self, Target};
use crate::model::names;
use crate::process::explain::{Component, Explained, Variant, explain};
use crate::process::scrub::Rules;
use crate::store::accounts::Project;
use crate::store::rehearsal::{self, IssueName};
use crate::store::{StoreError, now_ms, organization_settings, project_settings};
use crate::tasks::project_settings::compiled;
use crate::web::blocking;
use crate::web::error::PageError;
use crate::web::event::why::{self, Why};
use crate::web::page::{OrgContext, Page};
use crate::web::session::Viewer;
use crate::web::site::Site;

/// A variant with the issue that its hash leads to.
struct Way {
    name: &'static str,
    what: &'static str,
    hash: String,
    parts: Vec<(&'static str, Vec<String>)>,
    issue: Option<IssueName>,
}

#[derive(Template)]
#[template(path = "issues/grouping.html")]
struct GroupingPage {
    page: Page,
    org: String,
    project: Project,
    issue_id: i64,
    short_id: String,
    title: String,
    event_id: String,
    /// The explanation that was stored with the event.
    why: Option<Why>,
    /// Whether today's grouping gives other hashes than the event came in with.
    is_changed: bool,
    now: Explained,
    ways: Vec<Way>,
}

/// `GET /{org}/issues/{issue}/events/{event}/grouping`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, PageError> {
    let (organization, issue, event) = path.into_inner();
    let which = detail::which(&event).ok_or(PageError::NotFound)?;
    let user_id = viewer.user().id;
    let found = site.store.read(move |conn| {
        let context = OrgContext::load(conn, user_id, &organization, now_ms())?;
        let target = Target::find(conn, user_id, &organization, &issue, which)?;
        let rules = organization_settings::of(conn, &context.scope)?.scrubbing();
        let own = project_settings::of_project(conn, &target.project)?;
        Ok::<_, StoreError>((context, target, compiled(&own, &Rules::of(&rules))))
    });
    let (context, target, settings) = found.await?;
    let row = target.event.as_ref().ok_or(PageError::NotFound)?;
    let stored = detail::json_of(row).ok_or(PageError::NotFound)?;
    let event_id = hex::encode(&row.event_id);
    let (stored, explained) = blocking::run(move || {
        let explained = explain(stored.to_string().as_bytes(), &settings);
        (stored, explained)
    })
    .await?;
    let explained = explained.ok_or(PageError::NotFound)?;
    let is_changed = hashes_of(&stored)
        != explained
            .variants
            .iter()
            .map(|one| one.hash.as_str())
            .collect::<Vec<_>>();
    let (ways, explained) = ways(&site, &target.project, explained).await?;
    let short_id = names::short_id(&target.project.short_prefix, target.issue.short_number);
    let title = format!("Grouping of {short_id}");
    let page =
        Page::new(title, &viewer, &request).within(&context, "issues", Some(&target.project.slug));
    let template = GroupingPage {
        page: page.clone(),
        org: target.organization,
        issue_id: target.issue.id,
        title: target.issue.title,
        short_id,
        project: target.project,
        event_id,
        why: why::why(&stored),
        is_changed,
        now: explained,
        ways,
    };
    page.answer(&template)
}

fn hashes_of(event: &Value) -> Vec<&str> {
    let variants = event
        .pointer("/grouping/variants")
        .and_then(Value::as_array);
    variants
        .into_iter()
        .flatten()
        .filter_map(|variant| variant.get("hash")?.as_str())
        .collect()
}

/// Names the issues that the hashes lead to.
async fn ways(
    site: &Site,
    project: &Project,
    explained: Explained,
) -> Result<(Vec<Way>, Explained), PageError> {
    let project = project.clone();
    let found = site.store.read(move |conn| {
        let mut ways = Vec::with_capacity(explained.variants.len());
        for variant in &explained.variants {
            let mut hash = [0; 16];
            let is_hash = hex::decode_to_slice(&variant.hash, &mut hash).is_ok();
            let issue = if is_hash {
                rehearsal::issue_of(conn, &project, &[hash])?
            } else {
                None
            };
            ways.push(way(variant, issue));
        }
        Ok::<_, StoreError>((ways, explained))
    });
    Ok(found.await?)
}

fn way(variant: &Variant, issue: Option<IssueName>) -> Way {
    let (name, what) = match variant.name {
        "app" => ("Own code", "by the frames of the application"),
        "system" => ("Whole stack", "by all frames, libraries included"),
        "custom_fingerprint" => ("Fingerprint", "as the application or a rule says"),
        "checksum" => ("Checksum", "as an old SDK sent it"),
        "fallback" => ("Nothing to go by", "one issue for all such events"),
        _ => ("By content", "there is no stack trace to go by"),
    };
    let part = |component: &Component| {
        let mut values = component.values.clone();
        if component.kind.ends_with("frames") {
            // As everywhere on pages, the frame that failed stands first.
            values.reverse();
        }
        (why::label(component.kind), values)
    };
    Way {
        name,
        what,
        hash: variant.hash.clone(),
        parts: variant.components.iter().map(part).collect(),
        issue,
    }
}
