//! Releases as builds and people know them, beside what events say. In: a scope. Out: their rows, commits and deploys; what is
//! known of a version from both sides.

mod brought;
mod change;
mod files;
mod marks;

use std::collections::{BTreeMap, HashMap};

use diesel::dsl::count_star;
use diesel::prelude::*;

use crate::store::accounts::Project;
use crate::store::schema::{
    deploys, issues, projects, release_commits, release_details, release_projects, releases,
};
use crate::store::scope::OrgScope;
use crate::store::{Conn, StoreError};

pub use brought::{BroughtIssue, count_regressed, new_issues, regressed_issues};
pub use change::{delete, deploy, put};
pub use files::{GivenCommit, Suspect, Touch, TouchedFile, has_files, suspects};
pub use marks::{DeployMark, deploy_marks};

/// The newest releases of each side that lists look at.
const MOST_LISTED: i64 = 1_000;
/// Commits of a release that are kept.
pub const MOST_COMMITS: usize = 1_000;
/// Files of a commit that are kept.
pub const MOST_FILES_OF_COMMIT: usize = 500;
/// Commits that are named where something broke.
pub const MOST_SUSPECTS: usize = 3;

pub const OPEN: &str = "open";
pub const ARCHIVED: &str = "archived";

/// What was said of a release.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = release_details)]
pub struct Details {
    pub id: i64,
    pub organization_id: i64,
    pub version: String,
    pub url: Option<String>,
    /// A commit or branch.
    pub reference: Option<String>,
    pub status: String,
    pub date_started: Option<i64>,
    pub date_released: Option<i64>,
    pub created_at: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = release_commits)]
pub struct Commit {
    pub release_id: i64,
    /// Newest first.
    pub position: i64,
    pub commit_id: String,
    pub message: String,
    pub author_name: Option<String>,
    pub author_email: Option<String>,
    pub committed_at: Option<i64>,
    pub repository: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = deploys)]
pub struct Deploy {
    pub id: i64,
    pub release_id: i64,
    pub environment: String,
    pub name: Option<String>,
    pub url: Option<String>,
    pub date_started: Option<i64>,
    pub date_finished: i64,
}

/// What a request wants to change; what it does not name stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub projects: Vec<Project>,
    pub url: Option<String>,
    pub reference: Option<String>,
    pub status: Option<&'static str>,
    pub date_started: Option<i64>,
    pub date_released: Option<i64>,
    /// Replaces those that the release has. Their `release_id` and `position` do not count.
    pub commits: Option<Vec<GivenCommit>>,
}

/// A version with all that is known of it.
#[derive(Debug, Clone)]
pub struct Release {
    pub version: String,
    /// None where only events have named it.
    pub details: Option<Details>,
    /// Its number in answers: that of its details, else of the first row that events made.
    pub id: i64,
    pub projects: Vec<Project>,
    pub first_seen: Option<i64>,
    pub last_seen: Option<i64>,
    /// Issues that were seen in it first.
    pub new_issues: i64,
    pub commits: i64,
    pub last_commit: Option<Commit>,
    pub deploys: i64,
    pub last_deploy: Option<Deploy>,
    /// Of its commits, each once.
    pub authors: Vec<Author>,
}

/// The name and the address of who made a commit.
pub type Author = (Option<String>, Option<String>);

impl Release {
    const fn named(version: String, id: i64) -> Self {
        Self {
            version,
            id,
            details: None,
            projects: Vec::new(),
            first_seen: None,
            last_seen: None,
            new_issues: 0,
            commits: 0,
            last_commit: None,
            deploys: 0,
            last_deploy: None,
            authors: Vec::new(),
        }
    }

    /// When it came into being, as far as is known.
    pub fn created_at(&self) -> i64 {
        let details = self.details.as_ref().map(|details| details.created_at);
        let known = [details, self.first_seen];
        known.into_iter().flatten().min().unwrap_or_default()
    }

    pub fn is_archived(&self) -> bool {
        self.details
            .as_ref()
            .is_some_and(|details| details.status == ARCHIVED)
    }
}

/// Whose releases.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub project: Option<Project>,
    pub version: Option<String>,
    /// A part of the version.
    pub contains: Option<String>,
}

/// The releases of an organization, newest first, without counts ([`add_counts`]): the newest thousand that events named, and
/// as many that were made.
pub fn list(
    conn: &mut Conn,
    scope: &OrgScope,
    filter: &Filter,
) -> Result<Vec<Release>, StoreError> {
    let has_nul = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains('\0'));
    if has_nul(&filter.version) || has_nul(&filter.contains) {
        return Ok(Vec::new());
    }
    let own: HashMap<i64, Project> = scope
        .projects(conn)?
        .into_iter()
        .filter(|project| {
            filter
                .project
                .as_ref()
                .is_none_or(|one| one.id == project.id)
        })
        .map(|project| (project.id, project))
        .collect();
    let mut found = BTreeMap::<String, Release>::new();
    add_made(conn, scope, filter, &own, &mut found)?;
    add_seen(conn, scope, filter, &own, &mut found)?;
    let mut all: Vec<Release> = found.into_values().collect();
    all.sort_by_key(|release| (-release.created_at(), -release.id));
    Ok(all)
}

/// One release, with all that is known of it.
pub fn find(
    conn: &mut Conn,
    scope: &OrgScope,
    project: Option<Project>,
    version: &str,
) -> Result<Release, StoreError> {
    let filter = Filter {
        project,
        version: Some(version.to_owned()),
        contains: None,
    };
    let mut found = list(conn, scope, &filter)?;
    found.truncate(1);
    add_counts(conn, scope, &filter, &mut found)?;
    found.pop().ok_or(StoreError::NotFound)
}

fn pattern(part: &str) -> String {
    let escaped = part
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    format!("%{escaped}%")
}

fn add_made(
    conn: &mut Conn,
    scope: &OrgScope,
    filter: &Filter,
    own: &HashMap<i64, Project>,
    found: &mut BTreeMap<String, Release>,
) -> Result<(), StoreError> {
    let mut query = release_details::table
        .filter(release_details::organization_id.eq(scope.organization_id()))
        .order(release_details::id.desc())
        .limit(MOST_LISTED)
        .select(Details::as_select())
        .into_boxed();
    if let Some(version) = &filter.version {
        query = query.filter(release_details::version.eq(version.clone()));
    }
    if let Some(part) = &filter.contains {
        query = query.filter(release_details::version.like(pattern(part)));
    }
    if let Some(project) = &filter.project {
        let of_project = release_projects::table
            .filter(release_projects::project_id.eq(project.id))
            .select(release_projects::release_id);
        query = query.filter(release_details::id.eq_any(of_project));
    }
    let made: Vec<Details> = query.load(conn)?;
    let ids: Vec<i64> = made.iter().map(|details| details.id).collect();
    let links: Vec<(i64, i64)> = release_projects::table
        .filter(release_projects::release_id.eq_any(&ids))
        .select((release_projects::release_id, release_projects::project_id))
        .load(conn)?;
    for details in made {
        let of = links.iter().filter(|(release, _)| *release == details.id);
        let projects = of.filter_map(|(_, project)| own.get(project).cloned());
        let release = Release {
            projects: projects.collect(),
            details: Some(details.clone()),
            ..Release::named(details.version, details.id)
        };
        found.insert(release.version.clone(), release);
    }
    Ok(())
}

fn add_seen(
    conn: &mut Conn,
    scope: &OrgScope,
    filter: &Filter,
    own: &HashMap<i64, Project>,
    found: &mut BTreeMap<String, Release>,
) -> Result<(), StoreError> {
    let mut query = releases::table
        .inner_join(projects::table.on(projects::id.eq(releases::project_id)))
        .filter(projects::organization_id.eq(scope.organization_id()))
        .order(releases::id.desc())
        .limit(MOST_LISTED)
        .select((
            releases::id,
            releases::project_id,
            releases::version,
            releases::first_seen,
            releases::last_seen,
        ))
        .into_boxed();
    if let Some(version) = &filter.version {
        query = query.filter(releases::version.eq(version.clone()));
    }
    if let Some(part) = &filter.contains {
        query = query.filter(releases::version.like(pattern(part)));
    }
    if let Some(project) = &filter.project {
        query = query.filter(releases::project_id.eq(project.id));
    }
    let seen: Vec<(i64, i64, String, i64, i64)> = query.load(conn)?;
    for (id, project_id, version, first, last) in seen {
        let release = found
            .entry(version.clone())
            .or_insert_with(|| Release::named(version, id));
        release.first_seen = Some(release.first_seen.map_or(first, |known| known.min(first)));
        release.last_seen = Some(release.last_seen.map_or(last, |known| known.max(last)));
        if let Some(project) = own.get(&project_id)
            && !release.projects.contains(project)
        {
            release.projects.push(project.clone());
        }
    }
    Ok(())
}

/// Adds what is counted, and the newest commit and deploy, to the releases that are shown.
pub fn add_counts(
    conn: &mut Conn,
    scope: &OrgScope,
    filter: &Filter,
    all: &mut [Release],
) -> Result<(), StoreError> {
    let versions: Vec<String> = all.iter().map(|release| release.version.clone()).collect();
    let mut query = issues::table
        .filter(issues::organization_id.eq(scope.organization_id()))
        .filter(issues::first_release.eq_any(versions))
        .group_by(issues::first_release)
        .select((issues::first_release, count_star()))
        .into_boxed();
    if let Some(project) = &filter.project {
        query = query.filter(issues::project_id.eq(project.id));
    }
    let new: Vec<(Option<String>, i64)> = query.load(conn)?;
    let ids: Vec<i64> = all
        .iter()
        .filter_map(|release| Some(release.details.as_ref()?.id))
        .collect();
    let commits: Vec<(i64, i64)> = release_commits::table
        .filter(release_commits::release_id.eq_any(&ids))
        .group_by(release_commits::release_id)
        .select((release_commits::release_id, count_star()))
        .load(conn)?;
    let newest: Vec<Commit> = release_commits::table
        .filter(release_commits::release_id.eq_any(&ids))
        .filter(release_commits::position.eq(0))
        .select(Commit::as_select())
        .load(conn)?;
    let deployed: Vec<Deploy> = deploys::table
        .filter(deploys::release_id.eq_any(&ids))
        .order(deploys::id)
        .select(Deploy::as_select())
        .load(conn)?;
    let authors: Vec<(i64, Option<String>, Option<String>)> = release_commits::table
        .filter(release_commits::release_id.eq_any(&ids))
        .select((
            release_commits::release_id,
            release_commits::author_name,
            release_commits::author_email,
        ))
        .distinct()
        .order((
            release_commits::release_id,
            release_commits::author_name,
            release_commits::author_email,
        ))
        .load(conn)?;
    for release in all {
        let is_it = |(version, _): &&(Option<String>, i64)| {
            version.as_deref() == Some(release.version.as_str())
        };
        release.new_issues = new.iter().find(is_it).map_or(0, |(_, count)| *count);
        let Some(details) = &release.details else {
            continue;
        };
        let of = |id: &i64| *id == details.id;
        release.commits = commits
            .iter()
            .find(|(id, _)| of(id))
            .map_or(0, |(_, count)| *count);
        release.last_commit = newest.iter().find(|one| of(&one.release_id)).cloned();
        release.authors = authors
            .iter()
            .filter(|(id, ..)| of(id))
            .map(|(_, name, email)| (name.clone(), email.clone()))
            .collect();
        let own = deployed.iter().filter(|one| of(&one.release_id));
        release.deploys = own.count() as i64;
        release.last_deploy = deployed.iter().rfind(|one| of(&one.release_id)).cloned();
    }
    Ok(())
}

/// The commits of a release, newest first.
pub fn commits(
    conn: &mut Conn,
    scope: &OrgScope,
    version: &str,
) -> Result<Vec<Commit>, StoreError> {
    Ok(release_commits::table
        .inner_join(release_details::table.on(release_details::id.eq(release_commits::release_id)))
        .filter(release_details::organization_id.eq(scope.organization_id()))
        .filter(release_details::version.eq(version))
        .order(release_commits::position)
        .select(Commit::as_select())
        .load(conn)?)
}

/// The deploys of a release, newest first.
pub fn deploys_of(
    conn: &mut Conn,
    scope: &OrgScope,
    version: &str,
) -> Result<Vec<Deploy>, StoreError> {
    Ok(deploys::table
        .inner_join(release_details::table.on(release_details::id.eq(deploys::release_id)))
        .filter(release_details::organization_id.eq(scope.organization_id()))
        .filter(release_details::version.eq(version))
        .order(deploys::id.desc())
        .select(Deploy::as_select())
        .load(conn)?)
}
