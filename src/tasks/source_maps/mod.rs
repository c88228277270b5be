//! Source maps between their upload and the events that need them: compiled once, looked up often.

mod bundle;
mod compile;
mod lookup;

pub use bundle::{CannotCompile, compile_all, compiled};
pub use compile::{COMMAND, run_child};
pub use lookup::{MapCache, ProjectMaps};
