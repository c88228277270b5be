//! The nouns and their rules, known to everybody and knowing nobody.

pub mod names;
pub mod password;
