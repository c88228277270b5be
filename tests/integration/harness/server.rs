//! In: a folder, arguments and environment for the real binary. Out: a running server with its address and its log.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::poll;

pub type Environment = BTreeMap<String, String>;

/// The binary with nothing of the surrounding environment that could change what it does.
pub fn command(environment: &Environment) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bugle"));
    command
        .env_clear()
        .env("RUST_BACKTRACE", "1")
        .stdin(Stdio::null());
    for name in ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"] {
        if let Ok(value) = std::env::var(name) {
            command.env(name, value);
        }
    }
    command.envs(environment);
    command
}

#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, line: String) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }

    pub fn lines(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub fn text(&self) -> String {
        self.lines().join("\n")
    }

    pub fn find(&self, text: &str) -> Option<String> {
        self.lines().into_iter().find(|line| line.contains(text))
    }

    /// Lines that no run should produce: errors and panics.
    pub fn complaints(&self) -> Vec<String> {
        let lines = self.lines().into_iter();
        lines
            .filter(|line| {
                line.contains(" ERROR ")
                    || line.starts_with("ERROR")
                    || line.contains("panicked at")
            })
            .collect()
    }

    fn follow(&self, stream: impl Read + Send + 'static) -> JoinHandle<()> {
        let log = self.clone();
        thread::spawn(move || {
            for line in BufReader::new(stream).lines() {
                let Ok(line) = line else { return };
                log.push(line);
            }
        })
    }
}

pub struct Server {
    child: Child,
    pub base: String,
    pub log: Log,
    exited: Option<ExitStatus>,
}

impl Server {
    pub fn start(arguments: &[String], environment: &Environment) -> Self {
        match Self::try_start(arguments, environment) {
            Ok(server) => server,
            Err((status, log)) => panic!("bugle serve ended with {status}:\n{}", log.text()),
        }
    }

    /// `Err` where the process ends before it listens.
    pub fn try_start(
        arguments: &[String],
        environment: &Environment,
    ) -> Result<Self, (ExitStatus, Log)> {
        let mut command = command(environment);
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("start the binary");
        let log = Log::default();
        let readers = [
            log.follow(child.stdout.take().expect("stdout is piped")),
            log.follow(child.stderr.take().expect("stderr is piped")),
        ];
        let mut ended = None;
        let base = poll::value("bugle serve says where it listens", || {
            if let Some(line) = log.find("listening on http://") {
                let address = line.split_once("listening on ").expect("just found").1;
                return Some(Some(
                    address
                        .split_whitespace()
                        .next()
                        .expect("an address")
                        .trim_end_matches('/')
                        .to_owned(),
                ));
            }
            ended = child.try_wait().expect("ask for the state of a child");
            ended.map(|_| None)
        });
        if let Some(base) = base {
            return Ok(Self {
                child,
                base,
                log,
                exited: None,
            });
        }
        for reader in readers {
            reader.join().expect("the log is read");
        }
        Err((ended.expect("no address means that it ended"), log))
    }

    pub fn running(&mut self) -> bool {
        self.exited.is_none()
            && self
                .child
                .try_wait()
                .expect("ask for the state of a child")
                .is_none()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that the process ever had in use, in MB, where the system tells.
    pub fn peak_memory_mb(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kilobytes / 1024)
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status();
        assert!(
            status.expect("run kill").success(),
            "kill -{name} {}",
            self.child.id()
        );
    }

    /// SIGTERM, then the status with which it leaves within the promised ten seconds.
    pub fn terminate(&mut self) -> ExitStatus {
        if let Some(status) = self.exited {
            return status;
        }
        if self.running() {
            self.signal("TERM");
        }
        let mut status = None;
        poll::until_within(
            Duration::from_secs(15),
            "bugle serve leaves after SIGTERM",
            || {
                status = self.child.try_wait().expect("ask for the state of a child");
                status.is_some()
            },
        );
        self.exited = status;
        status.expect("until returns only once it ended")
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if self.exited.is_none() {
            self.child.kill().expect("kill the server");
            self.exited = Some(self.child.wait().expect("wait for the server"));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
