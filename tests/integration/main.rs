//! Capability tests: everything goes through the public HTTP and command line of the real binary.

mod api;
mod artifacts;
mod beside;
mod browser;
mod cli;
mod durability;
mod fixtures;
mod harness;
mod health;
mod ingest;
mod issues;
mod limits;
mod live_sdk;
mod mail;
mod mirror;
mod native;
mod observability;
mod pages;
mod queue_redis;
mod retention_store;
mod scrubbing;
mod source_maps;
mod task_exchange;
mod task_store;
mod thinning;
