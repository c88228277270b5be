//! The nouns and their rules, known to everybody and knowing nobody.

pub mod distinct;
pub mod escalation;
pub mod event;
pub mod file_kind;
pub mod issue;
pub mod issue_condition;
pub mod issue_query;
pub mod issue_search;
pub mod lifecycle;
pub mod names;
pub mod password;
pub mod release_health;
pub mod release_version;
pub mod seal;
pub mod search_value;
pub mod size;
pub mod sliding_window;
pub mod suspects;
pub mod thinning;
