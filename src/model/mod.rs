//! The nouns and their rules, known to everybody and knowing nobody.

pub mod event;
pub mod issue;
pub mod issue_condition;
pub mod issue_query;
pub mod issue_search;
pub mod names;
pub mod password;
pub mod seal;
pub mod search_value;
pub mod size;
pub mod thinning;
