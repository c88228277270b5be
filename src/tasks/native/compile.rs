//! Compiling a debug file where it can do no harm. In: the file and its name. Out: what is in it, with symbols and unwind rules of each object.
//!
//! To the child: the name after its length, the file. From it: for each object its facts as JSON, its symbols and its unwind rules, each after
//! its length; what there is not is empty. See [`child`].

use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::process::native::debug_file::{self, Compiled};
use crate::protocol::artifact_bundle::LARGEST_BUNDLE;
use crate::tasks::child::{self, Bounds, ChildError, receive, send};

/// The command that makes this binary the child; not for people.
pub const COMMAND: &str = "compile-debug-file";
const BOUNDS: Bounds = Bounds {
    memory: 3 * 1024 * 1024 * 1024,
    time: Duration::from_secs(300),
};
const MOST_BYTES: usize = 1024 * 1024 * 1024;
const LONGEST_NAME: usize = 4096;

/// One at a time on a node.
static TURN: Mutex<()> = Mutex::new(());

/// Compiles a file; blocks for as long as that takes. Gives each object to `each`.
pub fn compile<E: From<ChildError>>(
    scratch: impl Fn() -> std::io::Result<File>,
    name: &str,
    mut file: File,
    mut each: impl FnMut(Compiled) -> Result<(), E>,
) -> Result<(), E> {
    let machine = |error: std::io::Error| E::from(ChildError::Machine(error));
    let prepared = || {
        let mut input = scratch()?;
        send(&mut input, name.as_bytes())?;
        file.seek(SeekFrom::Start(0))?;
        std::io::copy(&mut file, &mut input)?;
        Ok((input, scratch()?))
    };
    let mut prepared = prepared;
    let (input, output) = prepared().map_err(machine)?;
    let output = {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        child::run(COMMAND, BOUNDS, input, output)?
    };
    let length = output.metadata().map_err(machine)?.len();
    let mut output = BufReader::new(output);
    while output.stream_position().map_err(machine)? < length {
        let facts = receive(&mut output, MOST_BYTES).map_err(machine)?;
        let symbols = receive(&mut output, MOST_BYTES).map_err(machine)?;
        let unwind = receive(&mut output, MOST_BYTES).map_err(machine)?;
        let filled = |bytes: Vec<u8>| (!bytes.is_empty()).then_some(bytes);
        each(Compiled {
            facts: serde_json::from_slice(&facts)
                .map_err(|error| machine(std::io::Error::other(error)))?,
            symbols: filled(symbols),
            unwind: filled(unwind),
        })?;
    }
    Ok(())
}

/// The child.
pub fn run_child() -> Result<(), String> {
    child::bound(BOUNDS)?;
    let problem = |error: std::io::Error| error.to_string();
    let mut input = std::io::stdin().lock();
    let name = receive(&mut input, LONGEST_NAME).map_err(problem)?;
    let mut bytes = Vec::new();
    input
        .take(LARGEST_BUNDLE + 1)
        .read_to_end(&mut bytes)
        .map_err(problem)?;
    let name = String::from_utf8_lossy(&name);
    let objects = debug_file::compile(&name, &bytes).map_err(|error| error.to_string())?;
    let mut output = BufWriter::new(std::io::stdout().lock());
    for object in objects {
        let facts = serde_json::to_vec(&object.facts).map_err(|error| error.to_string())?;
        for part in [
            facts,
            object.symbols.unwrap_or_default(),
            object.unwind.unwrap_or_default(),
        ] {
            send(&mut output, &part).map_err(problem)?;
        }
    }
    output.flush().map_err(problem)
}
