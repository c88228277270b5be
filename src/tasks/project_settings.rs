//! How each project's events are processed, in memory. In: the texts that members wrote. Out: the same, ready for use.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::process::Settings;
use crate::store::project_settings::ProjectSettings as Row;

/// The settings of all projects; one without any has what is built in.
#[derive(Default)]
pub struct ProjectSettings(RwLock<State>);

#[derive(Default)]
struct State {
    built_in: Arc<Settings>,
    by_project: HashMap<i64, Arc<Settings>>,
}

impl ProjectSettings {
    pub fn of(&self, project_id: i64) -> Arc<Settings> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(state.by_project.get(&project_id).unwrap_or(&state.built_in))
    }

    pub fn replace(&self, rows: Vec<Row>) {
        let compiled = rows.into_iter().map(|row| {
            let settings = Settings::new(&row.fingerprint_rules, &row.stack_rules, &row.filters);
            (row.project_id, Arc::new(settings))
        });
        let by_project = compiled.collect();
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        state.by_project = by_project;
    }
}
