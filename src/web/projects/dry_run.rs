//! What rules or filters would do, before they are saved. In: settings that nobody saved yet. Out: the issues that would split,
//! merge or get less, over stored events.

use std::collections::HashMap;

use super::place::Place;
use crate::process::compare::{Difference, compare};
use crate::store::project_settings::ProjectSettings;
use crate::store::rehearsal::{self, IssueName};
use crate::web::blocking;
use crate::web::error::PageError;
use crate::web::site::Site;

/// Lines of each kind that are shown.
const SHOWN: usize = 50;

/// The outcome, as the page shows it.
pub struct DryRun {
    pub events: usize,
    pub issues: usize,
    /// Issues that would get no event any more.
    pub vanishing: usize,
    pub filtered: Vec<(IssueName, usize, usize)>,
    pub splits: Vec<(IssueName, usize)>,
    pub merges: Vec<Vec<IssueName>>,
    /// Lines that are not shown.
    pub more: usize,
}

impl DryRun {
    pub fn changes_nothing(&self) -> bool {
        self.filtered.is_empty() && self.splits.is_empty() && self.merges.is_empty()
    }
}

/// Runs both settings over the newest events of the newest issues.
pub async fn dry_run(
    site: &Site,
    place: &Place,
    other: &ProjectSettings,
) -> Result<DryRun, PageError> {
    let project = place.project.clone();
    let (samples, names) = site
        .store
        .read(move |conn| rehearsal::samples(conn, &project))
        .await?;
    let (present, other) = (place.compiled(&place.settings), place.compiled(other));
    let difference = blocking::run(move || compare(&samples, &present, &other)).await?;
    Ok(shown(difference, &names))
}

fn shown(difference: Difference, names: &HashMap<i64, IssueName>) -> DryRun {
    let vanishing = difference.vanishing();
    let Difference {
        events,
        issues,
        filtered,
        splits,
        merges,
    } = difference;
    let name = |id: &i64| names.get(id).cloned();
    let mut more = 0;
    let mut count = |lines: usize| more += lines.saturating_sub(SHOWN);
    count(filtered.len());
    count(splits.len());
    count(merges.len());
    DryRun {
        events,
        issues,
        vanishing,
        filtered: filtered
            .iter()
            .take(SHOWN)
            .filter_map(|(id, (left_out, of))| Some((name(id)?, *left_out, *of)))
            .collect(),
        splits: splits
            .iter()
            .take(SHOWN)
            .filter_map(|(id, parts)| Some((name(id)?, *parts)))
            .collect(),
        merges: merges
            .iter()
            .take(SHOWN)
            .map(|issues| issues.iter().filter_map(name).collect())
            .collect(),
        more,
    }
}
