//! One issue with one of its events. In: their names. Out: the page that says what broke, for whom, since when, and on
//! which line.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde_json::Value;

use super::beside::{self, Beside};
use super::row::{Badge, badge, level_name, users};
use super::side::{self, Tag};
use super::story::{self, Happening};
use super::suspects::{self, SuspectsView};
use crate::model::issue::{State, Status};
use crate::model::names;
use crate::model::suspects::frame_paths;
use crate::protocol::event_id::EventId;
use crate::store::accounts::Project;
use crate::store::issue_detail::{self, EventRow, Issue, Neighbours, Which};
use crate::store::issue_details::{self, Details};
use crate::store::release_details::{self, DeployMark};
use crate::store::{Conn, StoreError, merging, now_ms, payload, scope};
use crate::web::blocking;
use crate::web::chart::{Chart, short_version};
use crate::web::error::PageError;
use crate::web::event::marks as filters;
use crate::web::event::stack::{Part, StackMode};
use crate::web::event::{self, EventView};
use crate::web::format::{Count, When};
use crate::web::page::{OrgContext, Page};
use crate::web::releases as release_pages;
use crate::web::session::Viewer;
use crate::web::site::Site;

/// The chart: 14 days in bars of six hours.
const CHART_BARS: usize = 56;
const CHART_HOURS: i64 = 6;
/// Values shown of each tag, and tags shown before "more".
const TAG_VALUES: u32 = 5;
const TAGS_FIRST: usize = 8;
const ACTIVITY_ROWS: i64 = 12;
/// Breadcrumbs shown before "more".
const CRUMBS_FIRST: usize = 20;

/// An issue and one of its events, found by somebody who may see them.
pub struct Target {
    pub organization: String,
    pub issue: Issue,
    pub project: Project,
    pub event: Option<EventRow>,
}

impl Target {
    pub fn find(
        conn: &mut Conn,
        user_id: i64,
        organization: &str,
        issue: &str,
        which: Which,
    ) -> Result<Self, StoreError> {
        let scope = scope::authorize(conn, user_id, organization)?;
        let (issue, project) = issue_detail::find(conn, &scope, issue)?;
        let event = issue_detail::event(conn, &issue, which)?;
        Ok(Self {
            organization: scope.organization().slug.clone(),
            issue,
            project,
            event,
        })
    }
}

/// Which event an address names.
pub fn which(word: &str) -> Option<Which> {
    match word {
        "latest" => Some(Which::Latest),
        "oldest" => Some(Which::Oldest),
        id => id.parse::<EventId>().ok().map(Which::Named),
    }
}

/// The stored JSON of an event.
pub fn json_of(row: &EventRow) -> Option<Value> {
    serde_json::from_slice(&payload::unpack(&row.data)?).ok()
}

/// First and last release, and how old.
struct Seen {
    when: When,
    release: Option<SeenIn>,
}

/// A release, cut to fit, and its page.
struct SeenIn {
    short: String,
    href: String,
}

/// The event on the page and the way to others.
struct Shown {
    id: String,
    short: String,
    time: When,
    place: &'static str,
    href: String,
    previous: Option<String>,
    next: Option<String>,
    view: EventView,
    beside: Beside,
    /// Files of its own frames.
    paths: Vec<String>,
    suspects: Option<SuspectsView>,
}

#[derive(Template)]
#[template(path = "issues/detail.html")]
struct IssueDetailPage {
    page: Page,
    org: String,
    project: Project,
    base: String,
    id: i64,
    short_id: String,
    level: &'static str,
    kind: String,
    value: String,
    culprit: String,
    status: Status,
    /// What the status waits for.
    note: Option<String>,
    /// New, regressed or escalating: somebody may say that they have seen it.
    to_review: bool,
    release_names: Vec<String>,
    badge: Option<Badge>,
    unhandled: bool,
    events: Count,
    users: Option<Count>,
    first: Seen,
    last: Seen,
    environments: Option<(String, usize)>,
    /// Events that were counted while spike protection kept no payload of them, and when that was the last time.
    sampled: Option<(Count, When)>,
    chart: Chart,
    shown: Option<Shown>,
    /// Events of it are still on their way, after a merge or a split.
    moving: bool,
    tags: Vec<Tag>,
    activity: Vec<Happening>,
    tags_first: usize,
    crumbs_first: usize,
}

/// `GET /{org}/issues/{issue}/`
pub async fn latest(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (organization, issue) = path.into_inner();
    show(&site, &request, &viewer, organization, issue, Which::Latest).await
}

/// `GET /{org}/issues/{issue}/events/{event}/`
pub async fn named(
    site: web::Data<Site>,
    request: HttpRequest,
    viewer: Viewer,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, PageError> {
    let (organization, issue, event) = path.into_inner();
    let which = which(&event).ok_or(PageError::NotFound)?;
    show(&site, &request, &viewer, organization, issue, which).await
}

struct Found {
    context: OrgContext,
    issue: Issue,
    project: Project,
    event: Option<EventRow>,
    neighbours: Neighbours,
    beside: beside::Found,
    moving: bool,
    history: (i64, Vec<i64>),
    releases: Vec<(String, i64)>,
    deploys: Vec<DeployMark>,
    tags: Vec<issue_detail::TagRow>,
    activity: Vec<issue_detail::ActivityRow>,
    details: Option<Details>,
    /// The release whose commits may have brought the issue.
    suspect_release: Option<String>,
}

impl Found {
    /// Where the issue's own addresses begin.
    fn base(&self) -> String {
        format!("/{}/issues/{}", self.context.slug(), self.issue.id)
    }
}

async fn show(
    site: &Site,
    request: &HttpRequest,
    viewer: &Viewer,
    organization: String,
    name: String,
    which: Which,
) -> Result<HttpResponse, PageError> {
    let user_id = viewer.user().id;
    let now = now_ms();
    let asked = name.clone();
    let mut found = site
        .store
        .read(move |conn| {
            let context = OrgContext::load(conn, user_id, &organization, now)?;
            let (issue, project) = issue_detail::find(conn, &context.scope, &name)?;
            let event = issue_detail::event(conn, &issue, which)?;
            if event.is_none() && matches!(which, Which::Named(_)) {
                return Err(StoreError::NotFound);
            }
            let neighbours = match &event {
                Some(event) => issue_detail::neighbours(conn, &issue, event)?,
                None => Neighbours::default(),
            };
            let beside = match &event {
                Some(event) => beside::find(conn, &project, &issue, &event.event_id)?,
                None => beside::Found::default(),
            };
            let moving = merging::is_moving(conn, issue.id)?;
            let history = issue_detail::history(conn, &issue, CHART_BARS, CHART_HOURS, now)?;
            let releases = issue_detail::releases_since(conn, &issue, history.0)?;
            let (scope, since) = (&context.scope, history.0);
            let deploys =
                release_details::deploy_marks(conn, scope, Some(project.id), None, since)?;
            let tags = issue_detail::tags(conn, &issue, TAG_VALUES)?;
            let activity = issue_detail::activity(conn, &issue, ACTIVITY_ROWS)?;
            let details = match Status::from_code(issue.status) {
                Status::Unresolved => None,
                _ => issue_details::of_issues(conn, &[issue.id])?.remove(&issue.id),
            };
            let suspect_release = suspects::release_of(conn, &context.scope, &issue)?;
            Ok(Found {
                context,
                issue,
                project,
                event,
                neighbours,
                beside,
                moving,
                history,
                releases,
                deploys,
                tags,
                activity,
                details,
                suspect_release,
            })
        })
        .await?;
    if !found.issue.is_called(&asked) {
        let base = found.base();
        return Ok(match which {
            Which::Latest => moved_to(&format!("{base}/")),
            Which::Oldest => moved_to(&format!("{base}/events/oldest/")),
            Which::Named(id) => moved_to(&format!("{base}/events/{id}/")),
        });
    }
    let mode = url::form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(key, _)| key == "stack")
        .map(|(_, value)| value.into_owned());
    let mode = StackMode::parse(mode.as_deref());
    let shown = match found.event.take() {
        Some(event) => {
            let base = found.base();
            let neighbours = std::mem::take(&mut found.neighbours);
            let beside = std::mem::take(&mut found.beside);
            let shown = blocking::run(move || shown(&event, &base, neighbours, mode)).await?;
            match shown {
                Some(mut shown) => {
                    shown.beside = Beside::new(&beside, &shown.href, now);
                    shown.suspects = suspects_of(site, &found, &shown, now).await?;
                    Some(shown)
                }
                None => None,
            }
        }
        None => None,
    };
    draw(request, viewer, found, shown, now)
}

async fn suspects_of(
    site: &Site,
    found: &Found,
    shown: &Shown,
    now: i64,
) -> Result<Option<SuspectsView>, PageError> {
    match &found.suspect_release {
        Some(release) if !shown.paths.is_empty() => {
            suspects::view(site, &found.context.scope, release, &shown.paths, now).await
        }
        _ => Ok(None),
    }
}

/// To the page of the issue that took the place of the one asked for.
pub(super) fn moved_to(address: &str) -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, address))
        .finish()
}

fn draw(
    request: &HttpRequest,
    viewer: &Viewer,
    found: Found,
    shown: Option<Shown>,
    now: i64,
) -> Result<HttpResponse, PageError> {
    let base = found.base();
    let Found {
        context,
        issue,
        project,
        event: _,
        neighbours: _,
        beside: _,
        moving,
        history,
        releases,
        deploys,
        tags,
        activity,
        details,
        suspect_release: _,
    } = found;
    let org = context.slug().to_owned();
    let short_id = names::short_id(&project.short_prefix, issue.short_number);
    let page = Page::new(format!("{} · {short_id}", issue.title), viewer, request).within(
        &context,
        "issues",
        Some(&project.slug),
    );
    let state = State::from_codes(issue.status, issue.substatus).seen_at(
        issue.first_seen,
        issue.status_changed_at,
        now,
    );
    let named: Vec<&str> = tags
        .iter()
        .filter(|row| row.tag_key == "environment")
        .map(|row| row.tag_value.as_str())
        .collect();
    let template = IssueDetailPage {
        page: page.clone(),
        id: issue.id,
        level: level_name(issue.level),
        kind: if issue.title_type.is_empty() {
            issue.title.clone()
        } else {
            issue.title_type.clone()
        },
        value: issue.title_value.clone(),
        culprit: issue.culprit.clone(),
        status: state.status,
        note: story::status_note(state, details.as_ref()),
        to_review: state.status == Status::Unresolved && state != State::ONGOING,
        release_names: releases
            .iter()
            .rev()
            .map(|(version, _)| version.clone())
            .collect(),
        badge: badge(state),
        unhandled: issue.is_unhandled,
        events: Count::new(issue.times_seen),
        users: (issue.users_seen > 0).then(|| users(issue.users_seen)),
        first: seen(&org, issue.first_seen, issue.first_release.as_deref(), now),
        last: seen(&org, issue.last_seen, issue.last_release.as_deref(), now),
        environments: named
            .first()
            .map(|first| ((*first).to_owned(), named.len() - 1)),
        sampled: (issue.sampled_events > 0).then(|| {
            (
                Count::new(issue.sampled_events),
                When::ago(issue.sampled_at, now),
            )
        }),
        chart: Chart::new(history.0, CHART_HOURS * 3_600_000, &history.1, &releases)
            .with_deploys(&deploys),
        shown,
        moving,
        tags: side::tags(&tags, issue.times_seen),
        activity: story::activity(&activity, now),
        tags_first: TAGS_FIRST,
        crumbs_first: CRUMBS_FIRST,
        org,
        project,
        base,
        short_id,
    };
    page.answer(&template)
}

fn seen(org: &str, at: i64, release: Option<&str>, now: i64) -> Seen {
    Seen {
        when: When::ago(at, now),
        release: release.map(|version| SeenIn {
            short: short_version(version),
            href: release_pages::href(org, version),
        }),
    }
}

fn shown(row: &EventRow, base: &str, neighbours: Neighbours, mode: StackMode) -> Option<Shown> {
    let event = json_of(row)?;
    let id = hex::encode(&row.event_id);
    let link = |id: Vec<u8>| format!("{base}/events/{}/", hex::encode(id));
    let Neighbours { previous, next } = neighbours;
    Some(Shown {
        short: id.chars().take(8).collect(),
        time: When::exact(row.timestamp),
        place: match (&previous, &next) {
            (None, None) => "the only one kept",
            (_, None) => "latest",
            (None, _) => "oldest kept",
            _ => "",
        },
        href: format!("{base}/events/{id}"),
        previous: previous.map(link),
        next: next.map(link),
        view: event::view(&event, mode),
        beside: Beside::default(),
        paths: frame_paths(&event),
        suspects: None,
        id,
    })
}
