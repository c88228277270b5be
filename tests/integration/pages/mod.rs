//! In: a person with a browser, JavaScript off. Out: set-up, sign-in, the issue list and the issue with what they need,
//! and nothing of what is not theirs.

mod access;
mod admin;
mod issues;
mod projects;
