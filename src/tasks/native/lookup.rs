//! The debug files of a project while its events are digested. In: debug ids. Out: compiled symbols, from memory or from where uploads are
//! kept. As with source maps, what a look-up found is remembered for some seconds.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::blobs::{BlobError, Blobs};
use crate::process::native::{DebugFiles, Found};
use crate::store::debug_files::{self, Symbols};
use crate::store::{Store, StoreError};
use crate::tasks::recent::Recent;

const REMEMBERED: Duration = Duration::from_secs(5);
/// Compiled symbols in memory. What is larger is used once and forgotten.
const MOST_BYTES: usize = 64 * 1024 * 1024;
const MOST_ANSWERS: usize = 10_000;

type Question = (i64, String);

/// What look-ups of all projects found lately.
#[derive(Default)]
pub struct SymbolCache(Mutex<State>);

struct State {
    /// Projects that have debug files.
    users: Option<HashSet<i64>>,
    answers: HashMap<Question, (Option<Symbols>, Instant)>,
    files: Recent<Arc<Vec<u8>>>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            users: None,
            answers: HashMap::new(),
            files: Recent::new(MOST_BYTES),
        }
    }
}

impl SymbolCache {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the projects that have debug files. In memory, so that the events of all others ask nobody.
    pub fn set_users(&self, projects: HashSet<i64>) {
        self.state().users = Some(projects);
    }

    /// Asks anew for everything, because an upload is complete.
    pub fn forget_answers(&self) {
        self.state().answers.clear();
    }
}

/// The debug files of one project, for the events of one batch.
pub struct ProjectFiles<'f> {
    pub cache: &'f SymbolCache,
    pub store: &'f Store,
    pub blobs: &'f Blobs,
    pub project_id: i64,
    /// Set when the database or the blobs could not be asked: then what was found says nothing, and the events have to come again.
    pub away: &'f AtomicBool,
}

impl DebugFiles for ProjectFiles<'_> {
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

    fn find(&self, debug_id: &str) -> Found {
        match self.symbols(debug_id) {
            None => Found::Missing,
            Some(Symbols {
                symbols: Some(key), ..
            }) => match self.bytes(key) {
                Some(bytes) => Found::Symbols(bytes),
                None => Found::Missing,
            },
            Some(Symbols { problem, .. }) => {
                Found::Broken(problem.unwrap_or_else(|| {
                    "it has no symbols; upload the file that has them".to_owned()
                }))
            }
        }
    }
}

impl ProjectFiles<'_> {
    fn is_away(&self, error: &dyn std::error::Error) {
        tracing::warn!(%error, "debug files cannot be looked up; the events wait");
        self.away.store(true, Ordering::Release);
    }

    fn symbols(&self, debug_id: &str) -> Option<Symbols> {
        // One failure is enough: the rest of the batch comes again with it.
        if self.away.load(Ordering::Acquire) {
            return None;
        }
        let question = (self.project_id, debug_id.to_owned());
        let remembered = self.cache.state().answers.get(&question).cloned();
        if let Some((answer, at)) = remembered
            && at.elapsed() < REMEMBERED
        {
            return answer;
        }
        let asked = question.clone();
        let found: Result<_, StoreError> = self
            .store
            .read_blocking(move |conn| debug_files::symbols(conn, asked.0, &asked.1));
        match found {
            Ok(answer) => {
                let answers = &mut self.cache.state().answers;
                if answers.len() >= MOST_ANSWERS {
                    answers.retain(|_, (_, at)| at.elapsed() < REMEMBERED);
                }
                if answers.len() < MOST_ANSWERS {
                    answers.insert(question, (answer.clone(), Instant::now()));
                }
                answer
            }
            Err(error) => {
                self.is_away(&error);
                None
            }
        }
    }

    /// What is kept under a key; none for an upload that was deleted a moment ago.
    fn bytes(&self, key: String) -> Option<Arc<Vec<u8>>> {
        if let Some(bytes) = self.cache.state().files.get(&key) {
            return Some(bytes);
        }
        match self.blobs.get(&key) {
            Ok(bytes) => {
                let bytes = Arc::new(bytes);
                let size = bytes.len();
                self.cache.state().files.keep(key, Arc::clone(&bytes), size);
                Some(bytes)
            }
            Err(BlobError::NotFound(_)) => None,
            Err(error) => {
                self.is_away(&error);
                None
            }
        }
    }

    /// The unwind rules of an object.
    pub fn unwind(&self, debug_id: &str) -> Option<Arc<Vec<u8>>> {
        self.bytes(self.symbols(debug_id)?.unwind?)
    }
}
