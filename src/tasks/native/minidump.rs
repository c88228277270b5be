//! Reading a minidump where it can do no harm. In: a dump with its event, and the debug files of a project. Out: the event of the crash.
//!
//! To the child: the dump, then for each binary whose unwind rules are known its file and the rules, each after its length. From it: what the
//! dump says, as JSON. See [`child`].

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::time::Duration;

use ::minidump::{Minidump, Module as _};
use minidump_unwind::{Symbolizer, string_symbol_supplier};

use super::ProjectFiles;
use crate::process::native::DebugFiles as _;
use crate::process::native::minidump::{self as crash, Dump, Module, Thread};
use crate::protocol::minidump::decode;
use crate::tasks::child::{self, Bounds, ChildError, receive, send};

/// The command that makes this binary the child; not for people.
pub const COMMAND: &str = "read-minidump";
/// Well within the time that a batch may take.
const BOUNDS: Bounds = Bounds {
    memory: 2 * 1024 * 1024 * 1024,
    time: Duration::from_secs(8),
};
const MOST_BYTES: usize = 256 * 1024 * 1024;
/// What is kept of a dump.
const MOST_THREADS: usize = 200;
const MOST_FRAMES: usize = 250;
const MOST_MODULES: usize = 2_000;
/// Unwind rules that one dump is read with.
const MOST_RULES: usize = 256 * 1024 * 1024;

/// The event JSON of a record with a dump; blocks for as long as reading it takes. An error is the machine's fault.
pub fn event(
    payload: &[u8],
    scratch: impl Fn() -> std::io::Result<File>,
    files: &ProjectFiles<'_>,
) -> std::io::Result<Vec<u8>> {
    let Some((event, dump)) = decode(payload) else {
        return Ok(crash::event(b"", Err("the record is damaged")));
    };
    Ok(match read(dump, &scratch, files) {
        Ok(dump) => crash::event(event, Ok(&dump)),
        Err(ChildError::Useless(reason)) => crash::event(event, Err(&reason)),
        Err(ChildError::Machine(error)) => return Err(error),
    })
}

fn read(
    dump: &[u8],
    scratch: &impl Fn() -> std::io::Result<File>,
    files: &ProjectFiles<'_>,
) -> Result<Dump, ChildError> {
    let first = run(dump, &[], scratch)?;
    if !files.are_used() {
        return Ok(first);
    }
    // With the rules of the binaries that the stacks go through, stacks are found where guesses end.
    let mut rules = Vec::new();
    let mut bytes = 0;
    for module in &first.modules {
        let Some(id) = &module.debug_id else { continue };
        if let Some(unwind) = files.unwind(id) {
            bytes += unwind.len();
            if bytes > MOST_RULES {
                break;
            }
            rules.push((module, unwind));
        }
    }
    if rules.is_empty() {
        return Ok(first);
    }
    let named: Vec<(&Module, &[u8])> = rules
        .iter()
        .map(|(module, unwind)| (*module, unwind.as_slice()))
        .collect();
    run(dump, &named, scratch)
}

fn run(
    dump: &[u8],
    rules: &[(&Module, &[u8])],
    scratch: &impl Fn() -> std::io::Result<File>,
) -> Result<Dump, ChildError> {
    let mut input = scratch()?;
    send(&mut input, dump)?;
    for (module, unwind) in rules {
        send(&mut input, module.code_file.as_bytes())?;
        send(&mut input, unwind)?;
    }
    let mut output = child::run(COMMAND, BOUNDS, input, scratch()?)?;
    let mut text = Vec::new();
    output.read_to_end(&mut text)?;
    serde_json::from_slice(&text).map_err(|error| ChildError::Machine(std::io::Error::other(error)))
}

/// The child.
pub fn run_child() -> Result<(), String> {
    child::bound(BOUNDS)?;
    let mut input = std::io::stdin().lock();
    let dump = receive(&mut input, MOST_BYTES).map_err(|error| error.to_string())?;
    let mut rules = HashMap::new();
    while let Ok(name) = receive(&mut input, MOST_BYTES) {
        let unwind = receive(&mut input, MOST_BYTES).map_err(|error| error.to_string())?;
        let (name, unwind) = (
            String::from_utf8_lossy(&name),
            String::from_utf8_lossy(&unwind),
        );
        // The head of a file of Breakpad; only the rules below it count.
        let text =
            format!("MODULE Linux x86_64 000000000000000000000000000000000 {name}\n{unwind}");
        rules.insert(name.into_owned(), text);
    }
    let read = read_here(dump, rules)?;
    let mut output = std::io::stdout().lock();
    serde_json::to_writer(&mut output, &read).map_err(|error| error.to_string())?;
    output.flush().map_err(|error| error.to_string())
}

/// Reads a dump in this process: for what looks for bytes that break it.
pub fn read_alone(dump: Vec<u8>) -> Result<Dump, String> {
    read_here(dump, HashMap::new())
}

fn read_here(dump: Vec<u8>, rules: HashMap<String, String>) -> Result<Dump, String> {
    let dump =
        Minidump::read(dump).map_err(|error| format!("the minidump cannot be read: {error}"))?;
    let symbols = Symbolizer::new(string_symbol_supplier(rules));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| error.to_string())?;
    let state = runtime
        .block_on(minidump_processor::process_minidump(&dump, &symbols))
        .map_err(|error| format!("the minidump cannot be read: {error}"))?;
    let modules = state
        .modules
        .iter()
        .take(MOST_MODULES)
        .map(|module| Module {
            code_file: module.code_file().into_owned(),
            debug_file: module.debug_file().map(std::borrow::Cow::into_owned),
            debug_id: module
                .debug_identifier()
                .filter(|id| !id.is_nil())
                .map(|id| id.to_string()),
            code_id: module.code_identifier().map(|id| id.to_string()),
            start: module.base_address(),
            size: module.size(),
        });
    let threads = state
        .threads
        .iter()
        .take(MOST_THREADS)
        .map(|thread| Thread {
            id: thread.thread_id,
            name: thread.thread_name.clone(),
            frames: thread
                .frames
                .iter()
                .take(MOST_FRAMES)
                .map(|frame| (frame.resume_address, frame.trust.as_str().to_owned()))
                .collect(),
        });
    let exception = state.exception_info.as_ref();
    Ok(Dump {
        reason: exception.map(|info| info.reason.to_string()),
        address: exception.map(|info| info.address.0),
        crashing_thread: state.requesting_thread.filter(|at| *at < MOST_THREADS),
        assertion: state.assertion.clone(),
        os: state.system_info.os.long_name().to_string(),
        os_version: state
            .system_info
            .format_os_version()
            .map(|version| version.to_string()),
        cpu: state.system_info.cpu.to_string(),
        modules: modules.collect(),
        threads: threads.collect(),
    })
}
