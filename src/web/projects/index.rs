//! All projects of an organization. In: a scope. Out: a row for each with its last day and its open issues, and who the
//! members are.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

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
    let (context, members, hours) = site
        .store
        .read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now)?;
            let members = accounts::members(conn, context.scope.organization_id())?;
            let hours = project_activity::last_day(conn, &context.scope, now)?;
            Ok((context, members, hours))
        })
        .await?;
    let page = Page::new("Projects", &viewer, &request).within(&context, "projects", None);
    let template = ProjectsPage {
        page: page.clone(),
        org: context.slug().to_owned(),
        org_name: context.scope.organization().name.clone(),
        projects: rows(&context, &hours),
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

fn rows(context: &OrgContext, hours: &HashMap<i64, [i64; 24]>) -> Vec<ProjectRow> {
    context
        .projects
        .iter()
        .map(|project| {
            let hours = hours.get(&project.id).copied().unwrap_or_default();
            ProjectRow {
                slug: project.slug.clone(),
                name: project.name.clone(),
                platform: project.platform.clone(),
                hue: hue(project.id),
                bars: Bars::hours(&hours),
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
