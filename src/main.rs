//! Reads the arguments, runs one command, and exits with what became of it.

use std::process::ExitCode;

fn main() -> ExitCode {
    bugle::cli::run()
}
