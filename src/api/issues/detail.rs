//! One issue. In: its number or short id. Out: the issue with what happened to it, its tags and releases.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::IssuePath;
use super::shape::{self, Stats, Surroundings};
use super::tags;
use crate::api::access::{Caller, READ_EVENTS, app};
use crate::api::error::ApiError;
use crate::api::releases;
use crate::model::names;
use crate::store::accounts::Project;
use crate::store::issue_details::{self, Details};
use crate::store::issue_records::{self, Happening, IssueRecord, Step};
use crate::store::issue_tags::{self, TagKey};
use crate::store::named::{self, SeenRelease};
use crate::store::scope::OrgScope;
use crate::store::{Conn, StoreError, now_ms};

/// What happened lately; nobody reads more.
const HAPPENINGS: i64 = 100;

/// `GET …/issues/{issue}/`
pub async fn show(request: HttpRequest, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let path = IssuePath::of(&request);
    let (app, now) = (app(&request), now_ms());
    let whole = app
        .store
        .read(move |conn| {
            let (scope, issue, project) = path.find(conn, &caller)?;
            Whole::load(conn, scope, issue, project, now)
        })
        .await?;
    Ok(HttpResponse::Ok().json(whole.json(app.base_url())))
}

/// `GET /organizations/{org}/shortids/{short_id}/`
pub async fn by_short_id(
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let (organization, short_id) = path.into_inner();
    // A number is an issue's name too, but not a short one.
    names::parse_short_id(&short_id).ok_or(ApiError::NotFound)?;
    let app = app(&request);
    let (scope, issue, project, details) = app
        .store
        .read(move |conn| {
            let scope = caller.organization(conn, &organization)?;
            let (issue, project) = issue_records::find(conn, &scope, &short_id)?;
            let details = issue_details::of_issues(conn, &[issue.id])?.remove(&issue.id);
            Ok((scope, issue, project, details))
        })
        .await?;
    let around = Surroundings {
        organization: &scope.organization().slug,
        project: &project,
        base_url: app.base_url(),
        details: details.as_ref(),
        now: now_ms(),
    };
    Ok(HttpResponse::Ok().json(json!({
        "organizationSlug": scope.organization().slug,
        "projectSlug": project.slug,
        "projectId": project.id.to_string(),
        "groupId": issue.id.to_string(),
        "group": shape::issue(&issue, &around, &[]),
        "shortId": names::short_id(&project.short_prefix, issue.short_number),
    })))
}

/// `GET …/issues/{issue}/activities/`
pub async fn activities(request: HttpRequest, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.may(READ_EVENTS)?;
    let path = IssuePath::of(&request);
    let happenings = app(&request)
        .store
        .read(move |conn| {
            let (scope, issue, _) = path.find(conn, &caller)?;
            issue_records::happenings(conn, &scope, &issue, HAPPENINGS)
        })
        .await?;
    let rows: Vec<Value> = happenings.iter().map(shape::happening).collect();
    Ok(HttpResponse::Ok().json(json!({"activity": rows})))
}

/// An issue with everything that its own page tells.
pub struct Whole {
    scope: OrgScope,
    issue: IssueRecord,
    project: Project,
    now: i64,
    details: Option<Details>,
    happenings: Vec<Happening>,
    tags: Vec<TagKey>,
    first_release: Option<SeenRelease>,
    last_release: Option<SeenRelease>,
    hours: (i64, Option<Vec<i64>>),
    days: (i64, Option<Vec<i64>>),
}

const HOURS: usize = 24;
const DAYS: usize = 30;

impl Whole {
    pub fn load(
        conn: &mut Conn,
        scope: OrgScope,
        issue: IssueRecord,
        project: Project,
        now: i64,
    ) -> Result<Self, StoreError> {
        let release = |conn: &mut Conn, version: &Option<String>| match version {
            Some(version) => named::release(conn, &scope, project.id, version),
            None => Ok(None),
        };
        let first_release = release(conn, &issue.first_release)?;
        let last_release = release(conn, &issue.last_release)?;
        let series = |conn: &mut Conn, step, count| {
            let (start, mut counts) =
                issue_records::series(conn, &scope, &[issue.id], step, count, now)?;
            Ok::<_, StoreError>((start, counts.remove(&issue.id)))
        };
        Ok(Self {
            first_release,
            last_release,
            hours: series(conn, Step::Hour, HOURS)?,
            days: series(conn, Step::Day, DAYS)?,
            details: issue_details::of_issues(conn, &[issue.id])?.remove(&issue.id),
            happenings: issue_records::happenings(conn, &scope, &issue, HAPPENINGS)?,
            tags: issue_tags::keys(conn, &scope, &issue)?,
            scope,
            issue,
            project,
            now,
        })
    }

    pub fn json(&self, base_url: &str) -> Value {
        let around = Surroundings {
            organization: &self.scope.organization().slug,
            project: &self.project,
            base_url,
            details: self.details.as_ref(),
            now: self.now,
        };
        let stats = [
            ("24h", &self.hours, Step::Hour, HOURS),
            ("30d", &self.days, Step::Day, DAYS),
        ]
        .map(|(period, (start, counts), step, length)| Stats {
            period,
            start: *start,
            step: step.millis(),
            length,
            counts: counts.as_deref(),
        });
        let mut answer = shape::issue(&self.issue, &around, &stats);
        answer["activity"] = self.happenings.iter().map(shape::happening).collect();
        answer["tags"] = self.tags.iter().map(tags::key_json).collect();
        answer["firstRelease"] = releases::seen(self.first_release.as_ref());
        answer["lastRelease"] = releases::seen(self.last_release.as_ref());
        answer["seenBy"] = json!([]);
        answer["participants"] = json!([]);
        answer["userReportCount"] = json!(0);
        answer["pluginActions"] = json!([]);
        answer["pluginIssues"] = json!([]);
        answer
    }
}
