//! Bugle: error tracking for the Sentry SDKs, in one binary.
//! Data flows down this list: a request enters at `ingest` and leaves as a page, a mail or an API answer.

pub mod config;
pub mod outgoing;
pub mod telemetry;
mod test_event;

pub mod protocol;

pub mod ingest;

pub mod mirror;

pub mod journal;

pub mod queue;

pub mod tasks;

pub mod process;

pub mod blobs;

pub mod model;
pub mod store;

pub mod notify;

pub mod api;
pub mod web;

pub mod app;
pub mod cli;
pub mod server;
