//! The look-ups of one project, made ready for processing. In: the application and a project. Out: its source maps and debug files.

use std::sync::atomic::AtomicBool;

use super::native::ProjectFiles;
use super::source_maps::ProjectMaps;
use crate::app::App;

/// Runs `work` with the look-ups of a project. `away` is set if something could not be looked up; then the result says nothing, and the
/// event has to come again.
pub fn with<T>(
    app: &App,
    project_id: i64,
    away: &AtomicBool,
    work: impl FnOnce(&ProjectMaps<'_>, &ProjectFiles<'_>) -> T,
) -> T {
    prepared(app, project_id, away, false, work)
}

/// The same, looking at what there is now: for events that are processed again because something came.
pub fn anew<T>(
    app: &App,
    project_id: i64,
    away: &AtomicBool,
    work: impl FnOnce(&ProjectMaps<'_>, &ProjectFiles<'_>) -> T,
) -> T {
    prepared(app, project_id, away, true, work)
}

fn prepared<T>(
    app: &App,
    project_id: i64,
    away: &AtomicBool,
    anew: bool,
    work: impl FnOnce(&ProjectMaps<'_>, &ProjectFiles<'_>) -> T,
) -> T {
    let files = ProjectFiles {
        cache: &app.symbols,
        store: &app.store,
        blobs: &app.blobs,
        project_id,
        away,
    };
    let maps = ProjectMaps {
        cache: &app.source_maps,
        store: &app.store,
        blobs: &app.blobs,
        project_id,
        debug_files: &files,
        away,
        anew,
    };
    work(&maps, &files)
}
