//! The kinds of tasks, a file each. In: arguments. Out: effects; the work itself lies in `store` and `notify`.

pub mod assemble_bundle;
pub mod assemble_debug_file;
pub mod attachment_sweep;
pub mod auto_resolve;
pub mod counter_retention;
pub mod delete_bundle;
pub mod delete_debug_file;
pub mod end_ignoring;
pub mod escalation;
pub mod expired_chunks;
pub mod expired_scripts;
pub mod expired_sessions;
pub mod fetch_source_map;
pub mod issue_mail;
pub mod merge;
pub mod notify_issue;
pub mod notify_summary;
pub mod pair_source_maps;
pub mod reprocess_event;
pub mod retention;
pub mod retry_event;
pub mod size_retention;
pub mod summary_mail;
pub mod train_dictionaries;
