//! Large blocks go back to the system when they are freed. In: this process, before it has done anything. Out: the same process, started again
//! with a setting for the C library's allocator, which reads it once, at start.
//!
//! By itself glibc learns from the first large blocks that are freed to keep blocks of that size: files of 20 MiB then stay in memory by the dozen
//! after they have left it. Measured in docs/performance.md.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// `mallopt(3)`: `M_MMAP_THRESHOLD`; a value that is given is not adjusted.
const SETTING: &str = "MALLOC_MMAP_THRESHOLD_";
/// Larger than what events need, so that only files are concerned.
const BYTES: &str = "4194304";

/// Starts this program again in place, unless somebody has set it already. Comes back only where nothing has to be done, or nothing can be.
pub fn give_back_large_blocks() {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) || std::env::var_os(SETTING).is_some() {
        return;
    }
    let Ok(own) = std::env::current_exe() else {
        return;
    };
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_else(|| own.clone().into());
    // On success this does not return; without it, memory is all that is lost.
    let _ = Command::new(&own)
        .arg0(name)
        .args(arguments)
        .env(SETTING, BYTES)
        .exec();
}
