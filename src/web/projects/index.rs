//! All projects of an organization. In: a scope. Out: a row for each with its last day and its open issues, and who the
//! members are.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::store::release_details::{self, DeployMark};
use crate::store::scope::Role;
use crate::store::{accounts, now_ms, project_activity};
use crate::web::chart::Bars;
use crate::web::error::PageError;
use crate::web::format::{Count, hue, initials};
use crate::web::page::{Avatar, OrgContext, Page};
use crate::web::session::Viewer;
use crate::web::site::Site;

struct ProjectRow {
    slug: String,
    name: String,
    platform: String,
    hue: i64,
    bars: Bars,
    events: Count,
    unresolved: Count,
    has_events: bool,
}

struct MemberRow {
    avatar: Avatar,
    email: String,
    role: String,
}

#[derive(Template)]
#[template(path = "projects/index.html")]
struct ProjectsPage {
    page: Page,
    org: String,
    org_name: String,
    projects: Vec<ProjectRow>,
    members: Vec<MemberRow>,
    can_create: bool,
}

/// `GET /{org}/projects/`
pub async fn show(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let organization = path.into_inner();
    let user_id = viewer.user().id;
    let now = now_ms();
    let (context, members, hours, deploys) = site
        .store
        .read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now)?;
            let members = accounts::members(conn, context.scope.organization_id())?;
            let hours = project_activity::last_day(conn, &context.scope, now)?;
            let since = project_activity::day_start(now);
            let deploys = release_details::deploy_marks(conn, &context.scope, None, None, since)?;
            Ok((context, members, hours, deploys))
        })
        .await?;
    let page = Page::new("Projects", &viewer, &request).within(&context, "projects", None);
    let template = ProjectsPage {
        page: page.clone(),
        org: context.slug().to_owned(),
        org_name: context.scope.organization().name.clone(),
        projects: rows(&context, &hours, &deploys, now),
        members: members
            .into_iter()
            .map(|(user, role)| MemberRow {
                avatar: Avatar {
                    initials: initials(&user.name),
                    hue: hue(user.id + 2),
                    name: user.name,
                },
                email: user.email,
                role,
            })
            .collect(),
        can_create: context.scope.role() >= Role::Admin,
    };
    page.answer(&template)
}

fn rows(
    context: &OrgContext,
    hours: &HashMap<i64, [i64; 24]>,
    deploys: &[DeployMark],
    now: i64,
) -> Vec<ProjectRow> {
    let start = project_activity::day_start(now);
    context
        .projects
        .iter()
        .map(|project| {
            let hours = hours.get(&project.id).copied().unwrap_or_default();
            let own = deploys.iter().filter(|one| one.project_id == project.id);
            let own: Vec<DeployMark> = own.cloned().collect();
            ProjectRow {
                slug: project.slug.clone(),
                name: project.name.clone(),
                platform: project.platform.clone(),
                hue: hue(project.id),
                bars: Bars::hours(&hours).with_deploys(&own, start, 24 * 3_600_000),
                events: Count::new(hours.iter().sum()),
                unresolved: Count::new(
                    context
                        .counts
                        .get(&project.id)
                        .map_or(0, |counts| counts.unresolved),
                ),
                has_events: project.first_event_at.is_some(),
            }
        })
        .collect()
}
