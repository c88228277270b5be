//! Debug files between their upload and the events that need them: compiled once, looked up often.

mod compile;
mod lookup;
pub mod minidump;

pub use compile::{COMMAND, compile, run_child};
pub use lookup::{ProjectFiles, SymbolCache};
