//! Projects: overview, a new one, waiting for its first event, its settings.

pub mod debug_files;
mod dry_run;
pub mod fetching;
pub mod filters;
pub mod first_event;
pub mod index;
pub mod keys;
pub mod limits;
pub mod mirror;
pub mod new;
mod place;
pub mod resolve_age;
pub mod rules;
mod sample;
pub mod scrubbing;
pub mod settings;
mod snippets;
pub mod source_maps;
pub mod upload;
