//! Compiling a source map where it can do no harm. In: a minified script and its map. Out: the compiled map, made in a child
//! process with bounded memory and time: what parses somebody's script may need more of either than there is.
//!
//! The child is this binary again, with nothing of the environment. To it: the script and the map, each after its length as `u32`. From it:
//! the bytes of the compiled map; or, with exit code 1, a sentence on standard error.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::process::source_maps::CompiledMap;
use crate::tasks::poison::trial::own_binary;

/// The command that makes this binary the child; not for people.
pub const COMMAND: &str = "compile-source-map";
/// All memory of the child.
const MEMORY: u64 = 2 * 1024 * 1024 * 1024;
const TIME: Duration = Duration::from_secs(180);
const TOO_LONG: i32 = 75;
/// Scopes of larger scripts are not looked for: the syntax tree takes forty times the script's bytes. Functions of such
/// are called as their callers call them.
const MOST_PARSED: usize = 8 * 1024 * 1024;
/// Larger scripts or maps are not compiled.
pub const MOST_BYTES: usize = 256 * 1024 * 1024;

/// One at a time on a node.
static TURN: Mutex<()> = Mutex::new(());

/// Why there is no compiled map.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// It is the fault of what was uploaded; trying again changes nothing.
    #[error("{0}")]
    Useless(String),
    /// The machine's fault.
    #[error("no process to compile source maps in: {0}")]
    Machine(#[from] std::io::Error),
}

/// Compiles one map; blocks for as long as that takes. `scratch` gives files that are gone with their handles: what goes to the child and what
/// comes from it lies in such, not in memory.
pub fn compile(
    scratch: impl Fn() -> std::io::Result<File>,
    script: Vec<u8>,
    map: Vec<u8>,
) -> Result<File, CompileError> {
    if script.len() > MOST_BYTES || map.len() > MOST_BYTES {
        let most = MOST_BYTES / (1024 * 1024);
        return Err(CompileError::Useless(format!(
            "a script and a source map may have {most} MiB each"
        )));
    }
    let parsed = if script.len() > MOST_PARSED {
        Vec::new()
    } else {
        script
    };
    let mut input = scratch()?;
    for part in [parsed, map] {
        input.write_all(&(part.len() as u32).to_le_bytes())?;
        input.write_all(&part)?;
    }
    input.seek(SeekFrom::Start(0))?;
    let mut output = scratch()?;
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut command = Command::new(own_binary()?);
    command.arg(COMMAND).env_clear();
    if let Some(library_path) = std::env::var_os("LD_LIBRARY_PATH") {
        command.env("LD_LIBRARY_PATH", library_path);
    }
    let ended = command
        .stdin(Stdio::from(input))
        .stdout(Stdio::from(output.try_clone()?))
        .stderr(Stdio::piped())
        .spawn()?
        .wait_with_output()?;
    if !ended.status.success() {
        let said = String::from_utf8_lossy(&ended.stderr);
        return Err(CompileError::Useless(reason(ended.status, said.trim())));
    }
    output.seek(SeekFrom::Start(0))?;
    Ok(output)
}

fn reason(status: ExitStatus, said: &str) -> String {
    match status.code() {
        Some(1) if !said.is_empty() => said.to_owned(),
        Some(TOO_LONG) => format!("compiling it took longer than {} s", TIME.as_secs()),
        _ => "compiling it took more memory than is allowed, or failed altogether".to_owned(),
    }
}

/// The child.
pub fn run_child() -> Result<(), String> {
    setrlimit(
        Resource::As,
        Rlimit {
            current: Some(MEMORY),
            maximum: Some(MEMORY),
        },
    )
    .map_err(|error| format!("cannot bound the memory: {error}"))?;
    std::thread::spawn(|| {
        std::thread::sleep(TIME);
        std::process::exit(TOO_LONG);
    });
    let mut input = std::io::stdin().lock();
    let script = receive(&mut input).map_err(|error| error.to_string())?;
    let map = receive(&mut input).map_err(|error| error.to_string())?;
    let compiled = CompiledMap::compile(&script, &map).map_err(|error| error.to_string())?;
    std::io::stdout()
        .lock()
        .write_all(compiled.as_bytes())
        .map_err(|error| error.to_string())
}

fn receive(from: &mut impl std::io::Read) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > MOST_BYTES {
        return Err(std::io::Error::other("too long"));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}
