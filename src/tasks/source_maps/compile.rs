//! Compiling a source map where it can do no harm. In: a minified script and its map. Out: the compiled map, made in a child
//! process with bounded memory and time: what parses somebody's script may need more of either than there is.
//!
//! To the child: the script and the map, each after its length. From it: the bytes of the compiled map. See [`child`].

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::process::source_maps::CompiledMap;
use crate::tasks::child::{self, Bounds, ChildError, receive, send};

/// The command that makes this binary the child; not for people.
pub const COMMAND: &str = "compile-source-map";
const BOUNDS: Bounds = Bounds {
    memory: 2 * 1024 * 1024 * 1024,
    time: Duration::from_secs(180),
};
/// Scopes of larger scripts are not looked for: the syntax tree takes forty times the script's bytes. Functions of such
/// are called as their callers call them.
const MOST_PARSED: usize = 8 * 1024 * 1024;
/// Larger scripts or maps are not compiled.
pub const MOST_BYTES: usize = 256 * 1024 * 1024;

/// One at a time on a node.
static TURN: Mutex<()> = Mutex::new(());

/// Compiles one map; blocks for as long as that takes. `scratch` gives files that are gone with their handles: what goes to the child and what
/// comes from it lies in such, not in memory.
pub fn compile(
    scratch: impl Fn() -> std::io::Result<File>,
    script: Vec<u8>,
    map: Vec<u8>,
) -> Result<File, ChildError> {
    if script.len() > MOST_BYTES || map.len() > MOST_BYTES {
        let most = MOST_BYTES / (1024 * 1024);
        return Err(ChildError::Useless(format!(
            "a script and a source map may have {most} MiB each"
        )));
    }
    let mut input = scratch()?;
    send_script(&mut input, &script)?;
    drop(script);
    send(&mut input, &map)?;
    drop(map);
    run(scratch, input)
}

/// The same with a map of at most [`MOST_BYTES`] that lies in a file, which is not read into memory here.
pub fn compile_file(
    scratch: impl Fn() -> std::io::Result<File>,
    script: &[u8],
    mut map: &File,
) -> Result<File, ChildError> {
    let mut input = scratch()?;
    send_script(&mut input, script)?;
    let length = map.seek(SeekFrom::End(0))?;
    map.seek(SeekFrom::Start(0))?;
    let length = u32::try_from(length).map_err(std::io::Error::other)?;
    input.write_all(&length.to_le_bytes())?;
    std::io::copy(&mut map, &mut input)?;
    run(scratch, input)
}

fn send_script(input: &mut File, script: &[u8]) -> std::io::Result<()> {
    let parsed = if script.len() > MOST_PARSED {
        &[]
    } else {
        script
    };
    send(input, parsed)
}

fn run(scratch: impl Fn() -> std::io::Result<File>, input: File) -> Result<File, ChildError> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    child::run(COMMAND, BOUNDS, input, scratch()?)
}

/// The child.
pub fn run_child() -> Result<(), String> {
    child::bound(BOUNDS)?;
    let mut input = std::io::stdin().lock();
    let script = receive(&mut input, MOST_BYTES).map_err(|error| error.to_string())?;
    let map = receive(&mut input, MOST_BYTES).map_err(|error| error.to_string())?;
    let compiled = CompiledMap::compile(&script, &map).map_err(|error| error.to_string())?;
    std::io::stdout()
        .lock()
        .write_all(compiled.as_bytes())
        .map_err(|error| error.to_string())
}
