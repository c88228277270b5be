//! Source maps between their upload and the events that need them: compiled once, looked up often.

mod bundle;
mod compile;
mod fetch;
mod lookup;

pub use bundle::{CannotCompile, compile_all, compiled};
pub use compile::{COMMAND, run_child};
pub use fetch::{Fetched, NotFetched, fetch};
pub use lookup::{MapCache, ProjectMaps};
