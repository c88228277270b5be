//! Trying an event where it can do no harm. In: records under suspicion. Out: whether processing them ends, in a child
//! process that may crash or be given up.
//!
//! The child is this binary again, with nothing of the environment, the database or the network. To it: the length of a
//! record as `u32`, the record. From it: a byte for each record that was processed, well or not.

use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{Pace, hook};
use crate::journal::decode_record;
use crate::process::Settings;
use crate::tasks::content;

/// The command that makes this binary the child; not for people.
pub const COMMAND: &str = "try-events";
const DONE: u8 = 1;
const TOO_LONG: i32 = 75;

/// What a trial showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Processing ends; with which result is not asked here.
    Harmless,
    /// Processing ended the child, or did not end.
    Guilty(String),
    /// There is no child to try it in.
    Unknown(String),
}

/// Starts a child when one is needed, and another when that one is gone.
#[derive(Default)]
pub struct Court {
    child: Option<Running>,
}

struct Running {
    child: Child,
    to: ChildStdin,
    from: ChildStdout,
}

impl Court {
    /// Tries one record, as it lies in the journal.
    pub fn try_record(&mut self, body: &[u8]) -> Verdict {
        let mut running = match self.child.take() {
            Some(running) => running,
            None => match Running::start() {
                Ok(running) => running,
                Err(error) => return Verdict::Unknown(error.to_string()),
            },
        };
        if running.ask(body).is_ok() {
            self.child = Some(running);
            return Verdict::Harmless;
        }
        // It ended, or gave itself up; should it do neither, it is ended here.
        let _ = running.child.kill();
        match running.child.wait() {
            Ok(status) => Verdict::Guilty(reason(status)),
            Err(error) => Verdict::Unknown(error.to_string()),
        }
    }

    /// No more trials for now.
    pub fn adjourn(&mut self) {
        if let Some(mut running) = self.child.take() {
            drop(running.to);
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }
}

impl Drop for Court {
    fn drop(&mut self) {
        self.adjourn();
    }
}

fn reason(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(TOO_LONG), _) => format!(
            "processing did not end within {} s",
            Pace::get().limit.as_secs()
        ),
        (_, Some(signal)) => format!("processing crashed the process (signal {signal})"),
        (code, None) => format!("processing ended the process (exit code {code:?})"),
    }
}

/// The file of this process, also after an upgrade replaced it: a child has to be what its parent is.
pub(crate) fn own_binary() -> std::io::Result<std::path::PathBuf> {
    let own = std::path::Path::new("/proc/self/exe");
    if own.exists() {
        Ok(own.to_owned())
    } else {
        std::env::current_exe()
    }
}

impl Running {
    fn start() -> std::io::Result<Self> {
        let mut command = Command::new(own_binary()?);
        command.arg(COMMAND).env_clear();
        if let Some(library_path) = std::env::var_os("LD_LIBRARY_PATH") {
            command.env("LD_LIBRARY_PATH", library_path);
        }
        if hook::is_on() {
            command.env(hook::VARIABLE, "1");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(std::io::Error::other("the child has no pipes"));
        };
        Ok(Self { child, to, from })
    }

    fn ask(&mut self, body: &[u8]) -> std::io::Result<()> {
        self.to.write_all(&(body.len() as u32).to_le_bytes())?;
        self.to.write_all(body)?;
        self.to.flush()?;
        let mut answer = [0];
        self.from.read_exact(&mut answer)
    }
}

/// The child: processes what it is given until there is no more, and ends itself over what takes too long.
pub fn run_child() -> std::io::Result<()> {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    // Odd while a record is being processed.
    let step = Arc::new(AtomicU64::new(0));
    let watched = Arc::clone(&step);
    std::thread::spawn(move || watch(&watched));
    // What is built in: the rules of a project are bounded, and the child has no database to read them from.
    let settings = Settings::default();
    let mut length = [0; 4];
    while input.read_exact(&mut length).is_ok() {
        let mut body = vec![0; u32::from_le_bytes(length) as usize];
        input.read_exact(&mut body)?;
        step.fetch_add(1, Ordering::AcqRel);
        if let Some(record) = decode_record(body) {
            // A panic or an error is a result like any other: it can be had where the record belongs.
            let _ = content::rehearse(&record, &settings);
        }
        step.fetch_add(1, Ordering::AcqRel);
        output.write_all(&[DONE])?;
        output.flush()?;
    }
    Ok(())
}

fn watch(step: &AtomicU64) {
    let limit = Pace::get().limit;
    let mut seen = (0, Instant::now());
    loop {
        std::thread::sleep(Duration::from_millis(50));
        let now = step.load(Ordering::Acquire);
        if now != seen.0 {
            seen = (now, Instant::now());
        } else if now % 2 == 1 && seen.1.elapsed() > limit {
            std::process::exit(TOO_LONG);
        }
    }
}
