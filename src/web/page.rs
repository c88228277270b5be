//! What every page shares: theme, navigation, the toast, the form token. In: the viewer and what the store says about
//! the organization. Out: the frame that the templates extend.

use std::collections::HashMap;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::error::PageError;
use super::form::masked;
use super::format::{hue, initials, plural, short};
use super::session::Viewer;
use super::site::Site;
use crate::store::accounts::{Organization, Project};
use crate::store::issue_counts::{self, Counts};
use crate::store::scope::{self, OrgScope};
use crate::store::{Conn, StoreError};

/// Light, dark, or as the system likes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

pub const THEME_COOKIE: &str = "bugle_theme";

impl Theme {
    pub fn of(request: &HttpRequest) -> Self {
        match request.cookie(THEME_COOKIE).as_ref().map(Cookie::value) {
            Some("dark") => Self::Dark,
            Some("light") => Self::Light,
            _ => Self::System,
        }
    }

    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }
}

/// A round picture made of letters.
#[derive(Debug, Clone)]
pub struct Avatar {
    pub name: String,
    pub initials: String,
    pub hue: i64,
}

/// A project in the side bar.
#[derive(Debug, Clone)]
pub struct NavProject {
    pub slug: String,
    pub hue: i64,
    pub unresolved: Option<String>,
    pub active: bool,
}

/// The side bar of an organization.
#[derive(Debug, Clone)]
pub struct Nav {
    pub org_slug: String,
    pub org_name: String,
    pub other_orgs: Vec<(String, String)>,
    pub projects: Vec<NavProject>,
    pub unresolved: Option<String>,
    pub active: &'static str,
}

/// What was just done, and how to take it back.
#[derive(Debug, Clone)]
pub struct Toast {
    pub text: String,
    /// The issues to take it back for; empty where that cannot be done.
    pub undo: Vec<i64>,
}

/// Shared by all pages of somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Page {
    pub title: String,
    pub theme: Theme,
    pub assets: String,
    pub csrf: String,
    pub user: Avatar,
    pub nav: Option<Nav>,
    pub toast: Option<Toast>,
    pub is_superuser: bool,
    /// Which of the pages about the instance this is.
    pub instance: &'static str,
    /// This page, for forms that come back to it.
    pub here: String,
    clear_toast: bool,
}

impl Page {
    pub fn new(title: impl Into<String>, viewer: &Viewer, request: &HttpRequest) -> Self {
        let user = viewer.user();
        let toast = request.cookie(TOAST_COOKIE);
        Self {
            title: title.into(),
            theme: Theme::of(request),
            assets: super::assets::base(),
            csrf: masked(&viewer.session.csrf_token),
            user: Avatar {
                name: user.name.clone(),
                initials: initials(&user.name),
                hue: hue(user.id + 2),
            },
            nav: None,
            is_superuser: user.is_superuser,
            instance: "",
            clear_toast: toast.is_some(),
            toast: toast.and_then(|cookie| Toast::parse(cookie.value())),
            here: request
                .uri()
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned(),
        }
    }

    /// With the side bar of an organization; `active` names the page in it.
    #[must_use]
    pub fn within(
        mut self,
        organization: &OrgContext,
        active: &'static str,
        project: Option<&str>,
    ) -> Self {
        self.nav = Some(organization.nav(active, project));
        self
    }

    /// One of the pages about the instance, by its name in the side bar.
    #[must_use]
    pub fn about_the_instance(mut self, active: &'static str) -> Self {
        self.instance = active;
        self
    }

    /// The answer: the page, which has used up the toast.
    pub fn answer(&self, template: &impl Template) -> Result<HttpResponse, PageError> {
        let mut response = HttpResponse::Ok();
        response.content_type("text/html; charset=utf-8");
        if self.clear_toast {
            response.cookie(
                Cookie::build(TOAST_COOKIE, "")
                    .path("/")
                    .max_age(Duration::ZERO)
                    .finish(),
            );
        }
        Ok(response.body(template.render()?))
    }
}

/// An organization as a page needs it: the right to see it, its projects, how many issues they have.
#[derive(Debug, Clone)]
pub struct OrgContext {
    pub scope: OrgScope,
    pub projects: Vec<Project>,
    pub counts: HashMap<i64, Counts>,
    organizations: Vec<Organization>,
}

impl OrgContext {
    /// Checks that the user may see the organization and reads what all its pages show.
    pub fn load(
        conn: &mut Conn,
        user_id: i64,
        organization: &str,
        now: i64,
    ) -> Result<Self, StoreError> {
        let scope = scope::authorize(conn, user_id, organization)?;
        Ok(Self {
            projects: scope.projects(conn)?,
            counts: issue_counts::counts(conn, &scope, now)?,
            organizations: scope::organizations_of(conn, user_id)?,
            scope,
        })
    }

    pub fn slug(&self) -> &str {
        &self.scope.organization().slug
    }

    /// The counts of all projects together, or of those named.
    pub fn total(&self, slugs: &[String]) -> Counts {
        let mut total = Counts::default();
        for project in &self.projects {
            if slugs.is_empty() || slugs.contains(&project.slug) {
                total += self.counts.get(&project.id).copied().unwrap_or_default();
            }
        }
        total
    }

    fn nav(&self, active: &'static str, project: Option<&str>) -> Nav {
        let own = self.scope.organization();
        let some = |number: i64| (number > 0).then(|| short(number));
        Nav {
            org_slug: own.slug.clone(),
            org_name: own.name.clone(),
            other_orgs: self
                .organizations
                .iter()
                .filter(|other| other.id != own.id)
                .map(|other| (other.slug.clone(), other.name.clone()))
                .collect(),
            projects: self
                .projects
                .iter()
                .map(|one| NavProject {
                    slug: one.slug.clone(),
                    hue: hue(one.id),
                    unresolved: some(
                        self.counts
                            .get(&one.id)
                            .map_or(0, |counts| counts.unresolved),
                    ),
                    active: project == Some(&one.slug),
                })
                .collect(),
            unresolved: some(self.total(&[]).unresolved),
            active,
        }
    }
}

const TOAST_COOKIE: &str = "bugle_toast";
/// More ids than this do not fit a cookie; such an action has no "Undo".
const MOST_UNDO: usize = 100;

impl Toast {
    /// The cookie that carries a toast over a redirect: a word and the issues it is about.
    pub fn cookie(site: &Site, what: &str, ids: &[i64]) -> Cookie<'static> {
        let ids = if ids.len() > MOST_UNDO { &[] } else { ids };
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        Cookie::build(TOAST_COOKIE, format!("{what}.{}", ids.join("-")))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(site.is_https())
            .max_age(Duration::minutes(1))
            .finish()
    }

    fn parse(value: &str) -> Option<Self> {
        let (what, ids) = value.split_once('.')?;
        let ids: Vec<i64> = ids.split('-').filter_map(|id| id.parse().ok()).collect();
        let issues = plural(ids.len().max(1) as i64, "issue", "issues");
        let (text, can_undo) = match what {
            "resolved" => (format!("Resolved {issues}."), true),
            "ignored" => (format!("Ignored {issues}."), true),
            "unresolved" => (format!("Reopened {issues}."), true),
            "merged" => (
                format!("Merged {issues} into one. Events and users follow in a moment."),
                false,
            ),
            "split" => (
                "Split off into this new issue. Its events follow in a moment.".to_owned(),
                false,
            ),
            "reprocess" => (
                "The event is being processed again. Reload the page in a moment.".to_owned(),
                false,
            ),
            "reviewed" => (format!("Marked {issues} as reviewed."), true),
            "undone" => ("Taken back.".to_owned(), false),
            "letters-retried" => ("They are being tried again.".to_owned(), false),
            "letters-deleted" => ("Deleted.".to_owned(), false),
            "bundle-begun" => (
                "Uploaded. It counts once it is stored, in a moment.".to_owned(),
                false,
            ),
            "bundle-deleted" => ("Upload deleted.".to_owned(), false),
            "feedback-done" => ("Marked as done.".to_owned(), false),
            "feedback-open" => ("Reopened.".to_owned(), false),
            "mirror" => ("Mirror saved.".to_owned(), false),
            "grouping" => (
                "Rules saved. They count for events from now on.".to_owned(),
                false,
            ),
            "filters" => (
                "Filters saved. They count for events from now on.".to_owned(),
                false,
            ),
            "scrubbing" | "source-maps" => {
                ("Saved. It counts for events from now on.".to_owned(), false)
            }
            "unchanged" => ("Nothing to change.".to_owned(), false),
            "saved" => ("Saved.".to_owned(), false),
            "key-created" => ("Key created.".to_owned(), false),
            "key-disabled" => (
                "Key disabled. What is sent with it is refused.".to_owned(),
                false,
            ),
            "key-enabled" => ("Key enabled.".to_owned(), false),
            "key-rotated" => (
                "New key made. Put its DSN into your application.".to_owned(),
                false,
            ),
            "key-deleted" => ("Key deleted.".to_owned(), false),
            "password" => (
                "Password changed. All other sessions were ended.".to_owned(),
                false,
            ),
            _ => return None,
        };
        Some(Self {
            text,
            undo: if can_undo { ids } else { Vec::new() },
        })
    }
}

/// Goes on to another page after a form, which says what was done.
pub fn see_done(site: &Site, path: &str, what: &str) -> Result<HttpResponse, PageError> {
    let mut response = see_other(path);
    response
        .add_cookie(&Toast::cookie(site, what, &[]))
        .map_err(|_| PageError::BadRequest("the cookie could not be set".to_owned()))?;
    Ok(response)
}

/// Goes on to another page after a form.
pub fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, path))
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toast_survives_the_redirect_and_nothing_else_does() {
        let toast = Toast::parse("resolved.12-14").expect("a toast");
        assert_eq!(
            (toast.text.as_str(), toast.undo.as_slice()),
            ("Resolved 2 issues.", &[12, 14][..])
        );
        assert!(Toast::parse("undone.").expect("a toast").undo.is_empty());
        assert!(Toast::parse("<b>.1").is_none());
    }
}
