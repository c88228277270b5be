//! Reads the arguments, runs one command, and exits with what became of it.

use std::process::ExitCode;

/// An event is read into hundreds of small pieces that are thrown away together; this allocator makes that cheap.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    bugle::cli::run()
}
