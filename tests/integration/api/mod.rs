//! The JSON API as clients use it: questions in the search language, pages, changes to many issues, who may do what.

mod access;
mod brought;
mod bulk;
mod events;
mod releases;
mod search;
mod settings;
mod suspects;
