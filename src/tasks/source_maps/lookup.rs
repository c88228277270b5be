//! The source maps of a project while its events are digested. In: the scripts of an event. Out: compiled maps, from memory or from
//! where uploads are kept.
//!
//! What a look-up found is remembered for some seconds, so that an upload counts soon and a flood of events asks seldom;
//! compiled maps stay in memory up to a bound, the one that was used longest ago goes first.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::blobs::Blobs;
use crate::process::native::DebugFiles;
use crate::process::source_maps::{CompiledMap, Finding, Script, SourceMaps, WantedScript};
use crate::store::artifacts::{self, Artifact, ArtifactKind};
use crate::store::scraped::{self, Known};
use crate::store::{Conn, Store, StoreError, now_ms};
use crate::tasks::recent::Recent;

/// So soon does an upload count.
const REMEMBERED: Duration = Duration::from_secs(5);
/// Compiled maps in memory. One that is larger is used once and forgotten.
const MOST_BYTES: usize = 48 * 1024 * 1024;
const MOST_ANSWERS: usize = 10_000;

/// What look-ups of all projects found lately.
#[derive(Default)]
pub struct MapCache(Mutex<State>);

struct State {
    /// Projects that something was uploaded for.
    users: Option<HashSet<i64>>,
    /// Projects that have public maps fetched.
    fetching: HashSet<i64>,
    answers: HashMap<Question, (Answer, Instant)>,
    maps: Recent<CompiledMap>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            users: None,
            fetching: HashSet::new(),
            answers: HashMap::new(),
            maps: Recent::new(MOST_BYTES),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Question {
    project_id: i64,
    debug_id: Option<String>,
    url: String,
    release: Option<String>,
    dist: Option<String>,
}

#[derive(Debug, Clone)]
enum Answer {
    /// The blob of a compiled map.
    Compiled(String),
    Missing,
    Wanted,
    NotFetched(String),
    Broken(String),
}

impl MapCache {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the projects that something was uploaded for. In memory, so that the events of all others ask nobody.
    pub fn set_users(&self, projects: HashSet<i64>) {
        self.state().users = Some(projects);
    }

    /// Takes the projects that have public maps fetched.
    pub fn set_fetching(&self, projects: HashSet<i64>) {
        self.state().fetching = projects;
    }

    /// Asks anew for everything, because an upload is complete.
    pub fn forget_answers(&self) {
        self.state().answers.clear();
    }
}

impl State {
    /// None before it is known.
    fn is_user(&self, project_id: i64) -> Option<bool> {
        let users = self.users.as_ref()?;
        Some(users.contains(&project_id) || self.fetching.contains(&project_id))
    }

    fn remember(&mut self, question: Question, answer: Answer) {
        if self.answers.len() >= MOST_ANSWERS {
            self.answers.retain(|_, (_, at)| at.elapsed() < REMEMBERED);
        }
        if self.answers.len() < MOST_ANSWERS {
            self.answers.insert(question, (answer, Instant::now()));
        }
    }

    fn answer(&self, question: &Question) -> Option<Answer> {
        let (answer, at) = self.answers.get(question)?;
        (at.elapsed() < REMEMBERED).then(|| answer.clone())
    }
}

/// The maps of one project, for the events of one batch.
pub struct ProjectMaps<'m> {
    pub cache: &'m MapCache,
    pub store: &'m Store,
    pub blobs: &'m Blobs,
    pub project_id: i64,
    pub debug_files: &'m dyn DebugFiles,
    /// Set when the database or the blobs could not be asked: then what was found says nothing, and the events have to come again.
    pub away: &'m AtomicBool,
    /// Looks at what there is now, not at what was found a moment ago.
    pub anew: bool,
}

impl SourceMaps for ProjectMaps<'_> {
    fn are_used(&self) -> bool {
        let known = self.cache.state().is_user(self.project_id);
        known.unwrap_or_else(|| {
            // Not read yet: the database was away when this node started.
            self.away.store(true, Ordering::Release);
            false
        })
    }

    fn find(&self, script: &Script<'_>) -> Finding {
        // One failure is enough: the rest of the batch comes again with it.
        if self.away.load(Ordering::Acquire) {
            return Finding::Missing;
        }
        let question = Question {
            project_id: self.project_id,
            debug_id: script.debug_id.map(str::to_owned),
            url: script.url.to_owned(),
            release: script.release.map(str::to_owned),
            dist: script.dist.map(str::to_owned),
        };
        let remembered = if self.anew {
            None
        } else {
            self.cache.state().answer(&question)
        };
        let answer = match remembered {
            Some(answer) => answer,
            None => match self.ask(&question) {
                Ok(answer) => {
                    self.cache.state().remember(question, answer.clone());
                    answer
                }
                Err(error) => {
                    self.is_away(&error);
                    return Finding::Missing;
                }
            },
        };
        match answer {
            Answer::Missing => Finding::Missing,
            Answer::Wanted => Finding::Wanted,
            Answer::NotFetched(reason) => Finding::NotFetched(reason),
            Answer::Broken(reason) => Finding::Broken(reason),
            Answer::Compiled(blob) => self.compiled(blob),
        }
    }

    fn debug_files(&self) -> &dyn DebugFiles {
        self.debug_files
    }
}

impl ProjectMaps<'_> {
    fn is_away(&self, error: &dyn std::error::Error) {
        tracing::warn!(%error, "source maps cannot be looked up; the events wait");
        self.away.store(true, Ordering::Release);
    }

    /// By the debug id, the script before the map; else by release and address; else what was fetched from the address.
    fn ask(&self, question: &Question) -> Result<Answer, StoreError> {
        let project_id = question.project_id;
        let is_fetching = self.cache.state().fetching.contains(&project_id);
        let public = public_script(question);
        let question = question.clone();
        let (found, public) = self.store.read_blocking(move |conn| {
            let uploaded = uploaded(conn, &question)?;
            let public = match public.filter(|_| uploaded.is_none()) {
                Some(script) => Some(scraped::look_up(conn, project_id, &script, now_ms())?),
                None => None,
            };
            Ok((uploaded, public))
        })?;
        let found = match public {
            Some(Known::Fetched(artifact)) => Some(artifact),
            Some(Known::Failed(reason)) if is_fetching => return Ok(Answer::NotFetched(reason)),
            Some(Known::NotYet) if is_fetching => return Ok(Answer::Wanted),
            _ => found,
        };
        Ok(match found {
            None => Answer::Missing,
            Some(Artifact {
                compiled: Some(blob),
                ..
            }) => Answer::Compiled(blob),
            Some(Artifact { problem, .. }) => Answer::Broken(
                problem.unwrap_or_else(|| "no source map belongs to the script".to_owned()),
            ),
        })
    }

    fn compiled(&self, blob: String) -> Finding {
        if let Some(map) = self.cache.state().maps.get(&blob) {
            return Finding::Map(map);
        }
        let bytes = match self.blobs.get(&blob) {
            Ok(bytes) => bytes,
            // An upload that was deleted a moment ago.
            Err(crate::blobs::BlobError::NotFound(_)) => return Finding::Missing,
            Err(error) => {
                self.is_away(&error);
                return Finding::Missing;
            }
        };
        match CompiledMap::from_bytes(bytes) {
            Ok(map) => {
                let size = map.as_bytes().len();
                self.cache.state().maps.keep(blob, map.clone(), size);
                Finding::Map(map)
            }
            Err(error) => Finding::Broken(error.to_string()),
        }
    }
}

/// What a build uploaded for a script.
fn uploaded(conn: &mut Conn, question: &Question) -> Result<Option<Artifact>, StoreError> {
    let Question {
        project_id,
        debug_id,
        url,
        release,
        dist,
    } = question;
    if let Some(id) = debug_id {
        for kind in [ArtifactKind::MinifiedSource, ArtifactKind::SourceMap] {
            let found = artifacts::artifact_by_debug_id(conn, *project_id, id, kind)?;
            if found.is_some() {
                return Ok(found);
            }
        }
    }
    let Some(release) = release else {
        return Ok(None);
    };
    // An upload without a dist is good for all of its release.
    for dist in [dist.as_deref(), None] {
        let kind = ArtifactKind::MinifiedSource;
        let found = artifacts::artifact_by_url(conn, *project_id, release, dist, url, kind)?;
        if found.is_some() || dist.is_none() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The script as it is fetched, if that can be done at all.
fn public_script(question: &Question) -> Option<WantedScript> {
    const LONGEST_ADDRESS: usize = 2048;
    let Question {
        url, release, dist, ..
    } = question;
    let is_public = ["http://", "https://"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
        && url.len() <= LONGEST_ADDRESS
        && !url.contains(|letter: char| letter.is_control());
    let fits = |text: &Option<String>, longest: usize| {
        text.as_ref()
            .is_none_or(|text| text.chars().count() <= longest && !text.contains('\0'))
    };
    (is_public && fits(release, 200) && fits(dist, 64)).then(|| WantedScript {
        url: url.clone(),
        release: release.clone(),
        dist: dist.clone(),
    })
}
