//! In: requests as SDKs make them, and as they must not. Out: the answers of the ingestion protocol, and an event stored
//! exactly where one is due.

mod accepted;
mod counted;
mod refused;
mod security;
mod store;
