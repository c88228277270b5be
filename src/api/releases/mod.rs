//! Releases. In: names, and what builds say of them. Out: JSON, alike below an organization and below a project, as clients use
//! either.

pub mod change;
pub mod deploys;
pub mod show;

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::ApiError;
use super::format;
use crate::model::release_health::crash_free;
use crate::store::accounts::Project;
use crate::store::named::SeenRelease;
use crate::store::release_details::{Author, Commit, Deploy, OPEN, Release};
use crate::store::release_health::Health;
use crate::store::scope::OrgScope;
use crate::store::{Conn, StoreError};

/// What the path of a request names.
#[derive(Debug, Clone, Deserialize)]
pub struct Place {
    org: String,
    #[serde(default)]
    project: Option<String>,
    #[serde(default)]
    version: Option<String>,
}

impl Place {
    fn version(&self) -> &str {
        self.version.as_deref().unwrap_or_default()
    }

    /// The project of the path, if there is one in it.
    fn project(&self, conn: &mut Conn, scope: &OrgScope) -> Result<Option<Project>, StoreError> {
        let name = self.project.as_ref();
        name.map(|name| scope.project(conn, name)).transpose()
    }
}

/// The rules for the names of releases, as events have them too.
fn check_version(version: &str) -> Result<(), ApiError> {
    let is_reserved = matches!(version, "" | "." | ".." | "latest");
    let has_odd = version.contains(['\n', '\r', '\t', '/', '\\', '\0']);
    if is_reserved || has_odd || version.chars().count() > 200 || version.trim() != version {
        return Err(ApiError::Invalid(
            "Release version is invalid: 1 to 200 characters without slashes, line breaks and tabs, and not '.', '..' or 'latest'"
                .to_owned(),
        ));
    }
    Ok(())
}

/// All that is known of a release.
fn release_json(release: &Release) -> Value {
    let details = release.details.as_ref();
    json!({
        "id": release.id,
        "version": release.version,
        "shortVersion": short_version(&release.version),
        "versionInfo": {"description": short_version(&release.version)},
        "status": details.map_or(OPEN, |details| details.status.as_str()),
        "dateCreated": format::time(release.created_at()),
        "dateStarted": format::maybe_time(details.and_then(|details| details.date_started)),
        "dateReleased": format::maybe_time(details.and_then(|details| details.date_released)),
        "ref": details.and_then(|details| details.reference.as_deref()),
        "url": details.and_then(|details| details.url.as_deref()),
        "firstEvent": format::maybe_time(release.first_seen),
        "lastEvent": format::maybe_time(release.last_seen),
        "newGroups": release.new_issues,
        "commitCount": release.commits,
        "lastCommit": release.last_commit.as_ref().map(commit_json),
        "deployCount": release.deploys,
        "lastDeploy": release.last_deploy.as_ref().map(deploy_json),
        "authors": release.authors.iter().map(author_json).collect::<Vec<_>>(),
        "data": {},
        "projects": release.projects.iter().map(|project| json!({
            "id": project.id, "slug": project.slug, "name": project.name, "platform": project.platform,
        })).collect::<Vec<_>>(),
    })
}

/// How the sessions of a release went.
fn health_json(health: &Health) -> Value {
    let sessions = &health.sessions;
    let (own, all) = health.last_day;
    json!({
        "hasHealthData": true,
        "totalSessions": sessions.total,
        "sessionsCrashed": sessions.crashed,
        "sessionsUnhandled": sessions.unhandled,
        "sessionsAbnormal": sessions.abnormal,
        "sessionsErrored": sessions.errored,
        "crashFreeSessions": sessions.crash_free(),
        "totalUsers": health.users.count(),
        "crashFreeUsers": crash_free(health.users.count(), health.crashed_users.count()),
        "totalSessions24h": own,
        "sessionsAdoption": (all > 0).then(|| own as f64 * 100.0 / all as f64),
    })
}

pub(super) fn author_json((name, email): &Author) -> Value {
    json!({"name": name, "email": email})
}

pub(super) fn commit_json(commit: &Commit) -> Value {
    json!({
        "id": commit.commit_id,
        "message": commit.message,
        "dateCreated": format::maybe_time(commit.committed_at),
        "author": {"name": commit.author_name, "email": commit.author_email},
        "repository": commit.repository.as_ref().map(|name| json!({"name": name})),
    })
}

fn deploy_json(deploy: &Deploy) -> Value {
    json!({
        "id": deploy.id.to_string(),
        "environment": deploy.environment,
        "name": deploy.name,
        "url": deploy.url,
        "dateStarted": format::maybe_time(deploy.date_started),
        "dateFinished": format::time(deploy.date_finished),
    })
}

/// A moment as clients write it: RFC 3339, or without a zone, which is UTC.
fn time(text: &str) -> Option<i64> {
    let zoned = text.parse::<jiff::Timestamp>().ok();
    let moment = zoned.or_else(|| {
        let local = text.parse::<jiff::civil::DateTime>().ok()?;
        Some(local.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    })?;
    Some(moment.as_millisecond())
}

/// A release, or null where there is none.
pub fn seen(release: Option<&SeenRelease>) -> Value {
    let Some(release) = release else {
        return Value::Null;
    };
    json!({
        "id": release.id,
        "version": release.version,
        "shortVersion": short_version(&release.version),
        "dateCreated": format::time(release.first_seen),
        "dateReleased": null,
        "firstEvent": format::time(release.first_seen),
        "lastEvent": format::time(release.last_seen),
    })
}

/// `shop@1.2.0` without the package.
fn short_version(version: &str) -> &str {
    match version.split_once('@') {
        Some((package, rest)) if !package.is_empty() && !rest.is_empty() => rest,
        _ => version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_left_out() {
        for (version, short) in [
            ("shop@1.2.0", "1.2.0"),
            ("1.2.0", "1.2.0"),
            ("@1", "@1"),
            ("a@", "a@"),
        ] {
            assert_eq!(short_version(version), short);
        }
    }
}
