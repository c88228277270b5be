//! Commits that may have broken it. In: an issue's release and the files of an event's own frames. Out: the panel that names them,
//! or nothing, as a guess would send people the wrong way.

use crate::model::suspects::commit_url;
use crate::store::issue_detail::Issue;
use crate::store::release_details::{self, Suspect, Touch};
use crate::store::scope::OrgScope;
use crate::store::{Conn, StoreError};
use crate::web::error::PageError;
use crate::web::format::When;
use crate::web::releases;
use crate::web::site::Site;

/// The panel.
pub struct SuspectsView {
    pub release: String,
    pub href: String,
    pub commits: Vec<SuspectRow>,
}

pub struct SuspectRow {
    pub id: String,
    pub short: String,
    pub url: Option<String>,
    pub message: String,
    pub author: String,
    pub touch: &'static str,
    pub file: String,
    pub time: Option<When>,
}

/// The release whose commits brought the issue, or brought it back; none if no files of its commits are known.
pub fn release_of(
    conn: &mut Conn,
    scope: &OrgScope,
    issue: &Issue,
) -> Result<Option<String>, StoreError> {
    let Some(release) = issue.suspect_release() else {
        return Ok(None);
    };
    let known = release_details::has_files(conn, scope, release)?;
    Ok(known.then(|| release.to_owned()))
}

/// The panel for an event, by the files of its frames.
pub async fn view(
    site: &Site,
    scope: &OrgScope,
    release: &str,
    paths: &[String],
    now: i64,
) -> Result<Option<SuspectsView>, PageError> {
    let (scope, version, paths) = (scope.clone(), release.to_owned(), paths.to_vec());
    let href = releases::href(&scope.organization().slug, release);
    let found = site
        .store
        .read(move |conn| release_details::suspects(conn, &scope, &version, &paths))
        .await?;
    let commits: Vec<SuspectRow> = found.into_iter().map(|one| row(one, now)).collect();
    Ok((!commits.is_empty()).then(|| SuspectsView {
        release: release.to_owned(),
        href,
        commits,
    }))
}

fn row(suspect: Suspect, now: i64) -> SuspectRow {
    let Suspect { commit, file } = suspect;
    SuspectRow {
        short: commit.commit_id.chars().take(7).collect(),
        url: commit_url(commit.repository.as_deref(), &commit.commit_id),
        message: commit.message.lines().next().unwrap_or_default().to_owned(),
        author: commit
            .author_name
            .or(commit.author_email)
            .unwrap_or_default(),
        touch: match file.touch {
            Touch::Added => "added",
            Touch::Modified => "changed",
            Touch::Deleted => "deleted",
        },
        file: file.path,
        time: commit.committed_at.map(|time| When::ago(time, now)),
        id: commit.commit_id,
    }
}
