//! Feedback: what people wrote when something had gone wrong. In: a scope. Out: the list, newest first, with a way to the error that each is
//! about; who may, says what is done.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::attachments::{FileRow, answer};
use super::error::PageError;
use super::form::SessionForm;
use super::format::When;
use super::page::{OrgContext, Page, see_done};
use super::releases;
use super::session::Viewer;
use super::site::Site;
use crate::store::attachments::{self, Attachment};
use crate::store::feedback::{self, Feedback, Filter, State};
use crate::store::{StoreError, issue_detail, now_ms, scope};

const PAGE: i64 = 50;

/// A message as pages show it.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: i64,
    pub who: String,
    pub email: String,
    pub text: String,
    pub when: When,
    pub url: String,
    pub is_done: bool,
}

impl Message {
    pub fn new(message: &Feedback, now: i64) -> Self {
        let name = message.name.trim();
        Self {
            id: message.id,
            who: match (name, message.email.as_str()) {
                ("", "") => "Somebody".to_owned(),
                ("", email) => email.to_owned(),
                (name, _) => name.to_owned(),
            },
            email: if name.is_empty() {
                String::new()
            } else {
                message.email.clone()
            },
            text: message.message.clone(),
            when: When::ago(message.created_at, now),
            url: message.url.clone(),
            is_done: message.is_done(),
        }
    }
}

/// A message in the list.
struct Row {
    message: Message,
    project: String,
    /// The event that it is about, where it is kept.
    event: Option<String>,
    release: Option<(String, String)>,
    environment: String,
    files: Vec<FileRow>,
}

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    project: String,
    #[serde(default)]
    status: String,
    issue: Option<i64>,
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "feedback/list.html")]
struct FeedbackPage {
    page: Page,
    org: String,
    project: String,
    projects: Vec<String>,
    status: String,
    issue: Option<i64>,
    rows: Vec<Row>,
    older: Option<String>,
}

/// The words of the address, and what they mean.
fn state(status: &str) -> (&'static str, Option<State>) {
    match status {
        "done" => ("done", Some(State::Done)),
        "all" => ("all", None),
        _ => ("open", Some(State::Open)),
    }
}

/// `GET /{org}/feedback/`
pub async fn list(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<String>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, PageError> {
    let organization = path.into_inner();
    let asked = asked.into_inner();
    let user_id = viewer.user().id;
    let now = now_ms();
    // Of one issue everything is shown: whoever comes from there looks for what was said.
    let (status, wanted) = match (asked.issue, asked.status.as_str()) {
        (Some(_), "") => state("all"),
        (_, status) => state(status),
    };
    let only = asked.project.clone();
    let (issue, before) = (asked.issue, asked.before);
    let (context, messages, issues, files, projects) = site
        .store
        .read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now)?;
            let scope = &context.scope;
            if let Some(issue) = issue {
                issue_detail::find(conn, scope, &issue.to_string())?;
            }
            let filter = Filter {
                project: match only.as_str() {
                    "" => None,
                    slug => Some(scope.project(conn, slug)?),
                },
                state: wanted,
                issue_id: issue,
                before,
                limit: PAGE + 1,
            };
            let messages = feedback::list(conn, scope, &filter)?;
            let issues = feedback::issues(conn, &messages)?;
            let mut files = Vec::new();
            for project in &context.projects {
                let own = messages.iter().filter(|one| one.project_id == project.id);
                let ids: Vec<Vec<u8>> = own.map(|one| one.feedback_id.clone()).collect();
                if !ids.is_empty() {
                    let found = attachments::of_events(conn, project.id, &ids)?;
                    files.extend(found.into_iter().map(|file| (project.id, file)));
                }
            }
            let projects = scope.projects(conn)?;
            Ok((context, messages, issues, files, projects))
        })
        .await?;
    let org = context.slug().to_owned();
    let has_more = messages.len() as i64 > PAGE;
    let slugs: HashMap<i64, &str> = projects
        .iter()
        .map(|project| (project.id, project.slug.as_str()))
        .collect();
    let rows: Vec<Row> = messages
        .iter()
        .take(PAGE as usize)
        .map(|message| {
            let key = (message.project_id, message.event_id.clone());
            row(
                &org,
                message,
                &slugs,
                issues.get(&key).copied(),
                &files,
                now,
            )
        })
        .collect();
    let older = rows.last().filter(|_| has_more).map(|last| {
        let mut fields = url::form_urlencoded::Serializer::new(String::new());
        fields.append_pair("project", &asked.project);
        fields.append_pair("status", status);
        if let Some(issue) = issue {
            fields.append_pair("issue", &issue.to_string());
        }
        fields.append_pair("before", &last.message.id.to_string());
        format!("/{org}/feedback/?{}", fields.finish())
    });
    let page = Page::new("Feedback", &viewer, &request).within(&context, "feedback", None);
    let template = FeedbackPage {
        page: page.clone(),
        project: asked.project,
        projects: projects.into_iter().map(|project| project.slug).collect(),
        status: status.to_owned(),
        issue,
        rows,
        older,
        org,
    };
    page.answer(&template)
}

fn row(
    org: &str,
    message: &Feedback,
    slugs: &HashMap<i64, &str>,
    issue: Option<i64>,
    files: &[(i64, Attachment)],
    now: i64,
) -> Row {
    let place = format!("/{org}/feedback/{}/attachments", message.id);
    let is_own = |(project_id, file): &&(i64, Attachment)| {
        *project_id == message.project_id && file.event_id == message.feedback_id
    };
    let event = hex::encode(&message.event_id);
    Row {
        message: Message::new(message, now),
        project: slugs
            .get(&message.project_id)
            .map_or_else(String::new, |slug| (*slug).to_owned()),
        event: issue.map(|issue| format!("/{org}/issues/{issue}/events/{event}/")),
        release: message
            .release_name
            .as_ref()
            .map(|release| (release.clone(), releases::href(org, release))),
        environment: message.environment.clone().unwrap_or_default(),
        files: files
            .iter()
            .filter(is_own)
            .map(|(_, file)| FileRow::new(file, &place))
            .collect(),
    }
}

/// `POST /{org}/feedback/{id}`: done, or open again.
pub async fn change(
    site: web::Data<Site>,
    form: SessionForm,
    path: web::Path<(String, i64)>,
) -> Result<HttpResponse, PageError> {
    let (organization, id) = path.into_inner();
    let user_id = form.viewer.user().id;
    let (state, done) = match form.fields.get("status") {
        "done" => (State::Done, "feedback-done"),
        "open" => (State::Open, "feedback-open"),
        _ => return Err(PageError::BadRequest("status is done or open".to_owned())),
    };
    let back = format!("/{organization}/feedback/");
    site.store
        .write(move |conn| {
            let scope = scope::authorize(conn, user_id, &organization)?;
            feedback::set_state(conn, &scope, id, state)
        })
        .await?;
    let back = match form.fields.get("back") {
        here if here.starts_with(back.as_str()) => here,
        _ => back.as_str(),
    };
    see_done(&site, back, done)
}

/// `GET /{org}/feedback/{id}/attachments/{attachment}`
pub async fn file(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<(String, i64, i64)>,
) -> Result<HttpResponse, PageError> {
    let (organization, id, attachment) = path.into_inner();
    let user_id = viewer.user().id;
    let file = site
        .store
        .read(move |conn| {
            let scope = scope::authorize(conn, user_id, &organization)?;
            let (message, project) = feedback::one(conn, &scope, id)?;
            attachments::one(conn, &project, &message.feedback_id, attachment)
        })
        .await;
    match file {
        Err(StoreError::NotFound) => Err(PageError::NotFound),
        other => answer(&request, other?).await,
    }
}
