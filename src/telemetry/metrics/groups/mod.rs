//! The instruments of each part, a file for each family of subjects. In: what happens there. Out: its metrics, named.

mod digest;
mod ingest;
mod outside;
mod store;
mod tasks;

pub use digest::{Digest, DigestOutcome, Journal, Redis};
pub use ingest::{Endpoint, Ingest};
pub(super) use outside::pages;
pub use outside::{HttpRoute, Mail, Mirror, Reports};
pub use store::Store;
pub use tasks::{Task, Tasks};
