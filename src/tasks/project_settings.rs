//! How each project's events are processed, in memory. In: the texts that members wrote. Out: the same, ready for use.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::process::Settings;
use crate::process::scrub::Rules;
use crate::store::organization_settings::OrganizationSettings;
use crate::store::project_settings::{ProjectSettings as Row, Settled};

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

    pub fn replace(&self, organizations: &[OrganizationSettings], projects: &[Settled]) {
        let rules: HashMap<i64, Rules> = organizations
            .iter()
            .map(|row| (row.organization_id, Rules::of(&row.scrubbing())))
            .collect();
        // Projects without settings of their own share those of their organization.
        let shared: HashMap<i64, Arc<Settings>> = rules
            .iter()
            .map(|(id, rules)| {
                (
                    *id,
                    Arc::new(Settings::default().scrubbed_by(rules.clone())),
                )
            })
            .collect();
        let built_in = Rules::default();
        let by_project = projects
            .iter()
            .filter_map(|project| {
                let settings = match &project.own {
                    Some(own) => {
                        let rules = rules.get(&project.organization_id).unwrap_or(&built_in);
                        Arc::new(compiled(own, rules))
                    }
                    None => Arc::clone(shared.get(&project.organization_id)?),
                };
                Some((project.project_id, settings))
            })
            .collect();
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        state.by_project = by_project;
    }
}

/// A project's settings, ready for use, within what its organization wants.
pub fn compiled(own: &Row, organization: &Rules) -> Settings {
    Settings::new(&own.fingerprint_rules, &own.stack_rules, &own.filters)
        .scrubbed_by(organization.and(&own.scrubbing()))
}
