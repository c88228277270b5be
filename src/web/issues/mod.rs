//! Issues: the list, one of them with its events, and what can be done about them.

pub mod actions;
pub mod beside;
mod choices;
mod chosen;
pub mod detail;
pub mod grouping;
mod links;
pub mod list;
pub mod merging;
pub mod raw;
pub mod reprocess;
mod row;
mod side;
mod story;
mod suspects;
