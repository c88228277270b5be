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
use crate::process::source_maps::{CompiledMap, Finding, Script, SourceMaps};
use crate::store::artifacts::{self, Artifact, ArtifactKind};
use crate::store::{Store, StoreError};
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
    answers: HashMap<Question, (Answer, Instant)>,
    maps: Recent<CompiledMap>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            users: None,
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

    /// Asks anew for everything, because an upload is complete.
    pub fn forget_answers(&self) {
        self.state().answers.clear();
    }
}

impl State {
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
}

impl SourceMaps for ProjectMaps<'_> {
    fn are_used(&self) -> bool {
        let known = self
            .cache
            .state()
            .users
            .as_ref()
            .map(|users| users.contains(&self.project_id));
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
        let remembered = self.cache.state().answer(&question);
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

    /// By the debug id, the script before the map; else by release and address.
    fn ask(&self, question: &Question) -> Result<Answer, StoreError> {
        let Question {
            project_id,
            debug_id,
            url,
            release,
            dist,
        } = question.clone();
        let found = self.store.read_blocking(move |conn| {
            if let Some(id) = debug_id {
                for kind in [ArtifactKind::MinifiedSource, ArtifactKind::SourceMap] {
                    if let Some(found) =
                        artifacts::artifact_by_debug_id(conn, project_id, &id, kind)?
                    {
                        return Ok(Some(found));
                    }
                }
            }
            let Some(release) = release else {
                return Ok(None);
            };
            // An upload without a dist is good for all of its release.
            for dist in [dist.as_deref(), None] {
                let kind = ArtifactKind::MinifiedSource;
                let found =
                    artifacts::artifact_by_url(conn, project_id, &release, dist, &url, kind)?;
                if found.is_some() || dist.is_none() {
                    return Ok(found);
                }
            }
            Ok(None)
        })?;
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
