//! Work on somebody's bytes where it can do no harm. In: a command of this binary and a file for it to read. Out: the file that it wrote,
//! made in a child process with bounded memory and time; or a sentence that says why not.
//!
//! The child is this binary again, with nothing of the environment. It reads standard input and writes standard output; with exit code 1
//! it says on standard error what is wrong.

use std::fs::File;
use std::io::{Read, Seek as _, SeekFrom};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};

use super::poison::trial::own_binary;

const TOO_LONG: i32 = 75;

/// What a child may use.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// All memory, in bytes.
    pub memory: u64,
    pub time: Duration,
}

/// Why a child made nothing.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// It is the fault of what was given to it; trying again changes nothing.
    #[error("{0}")]
    Useless(String),
    /// The machine's fault.
    #[error("no process to work on an upload in: {0}")]
    Machine(#[from] std::io::Error),
}

/// Runs a command of this binary over `input`, from its beginning, and gives `output` back, at its beginning. Blocks for as long as that
/// takes.
pub fn run(
    command: &str,
    bounds: Bounds,
    mut input: File,
    mut output: File,
) -> Result<File, ChildError> {
    input.seek(SeekFrom::Start(0))?;
    let mut child = Command::new(own_binary()?);
    child.arg(command).env_clear();
    if let Some(library_path) = std::env::var_os("LD_LIBRARY_PATH") {
        child.env("LD_LIBRARY_PATH", library_path);
    }
    let ended = child
        .stdin(Stdio::from(input))
        .stdout(Stdio::from(output.try_clone()?))
        .stderr(Stdio::piped())
        .spawn()?
        .wait_with_output()?;
    if !ended.status.success() {
        let said = String::from_utf8_lossy(&ended.stderr);
        return Err(ChildError::Useless(reason(
            ended.status,
            bounds,
            said.trim(),
        )));
    }
    output.seek(SeekFrom::Start(0))?;
    Ok(output)
}

fn reason(status: ExitStatus, bounds: Bounds, said: &str) -> String {
    match status.code() {
        Some(1) if !said.is_empty() => said.to_owned(),
        Some(TOO_LONG) => format!("reading it took longer than {} s", bounds.time.as_secs()),
        _ => "reading it took more memory than is allowed, or failed altogether".to_owned(),
    }
}

/// The child, before it touches anything: bounds its memory and its time.
pub fn bound(bounds: Bounds) -> Result<(), String> {
    let memory = Some(bounds.memory);
    let limit = Rlimit {
        current: memory,
        maximum: memory,
    };
    setrlimit(Resource::As, limit).map_err(|error| format!("cannot bound the memory: {error}"))?;
    std::thread::spawn(move || {
        std::thread::sleep(bounds.time);
        std::process::exit(TOO_LONG);
    });
    Ok(())
}

/// A run of bytes after its length as `u32`.
pub fn receive(from: &mut impl Read, most: usize) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > most {
        return Err(std::io::Error::other("too long"));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Writes what [`receive`] reads.
pub fn send(to: &mut impl std::io::Write, bytes: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(std::io::Error::other)?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(bytes)
}
