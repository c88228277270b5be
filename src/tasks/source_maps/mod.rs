//! Source maps between their upload and the events that need them: compiled once, looked up often.

mod compile;
mod lookup;

pub use compile::{COMMAND, CompileError, compile, run_child};
pub use lookup::{MapCache, ProjectMaps};
