//! In: arguments, environment and standard input of a `bugle` command. Out: its status and what it printed.

use std::io::Write;
use std::process::{Output, Stdio};

use super::server::{Environment, command};

pub struct Finished {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
    asked: String,
}

impl Finished {
    /// Standard output of a command that must succeed, without the last line end.
    #[track_caller]
    pub fn success(self) -> String {
        assert_eq!(
            self.code,
            Some(0),
            "{} failed\n{}\n{}",
            self.asked,
            self.out,
            self.err
        );
        self.out.trim_end().to_owned()
    }

    /// For commands whose report of a failure is their output.
    #[track_caller]
    pub fn failed(self) -> String {
        assert!(
            self.code.is_some_and(|code| code != 0),
            "{} did not fail\n{}",
            self.asked,
            self.out
        );
        assert!(
            !self.err.contains("panicked at"),
            "{} panicked: {}",
            self.asked,
            self.err
        );
        self.out + self.err.as_str()
    }

    /// What a command that must fail tells the user.
    #[track_caller]
    pub fn failure(self) -> String {
        assert!(
            self.code.is_some_and(|code| code != 0),
            "{} did not fail: {:?}\n{}",
            self.asked,
            self.code,
            self.out
        );
        assert!(
            !self.err.trim().is_empty(),
            "{} failed without a word",
            self.asked
        );
        assert!(
            !self.err.contains("panicked at"),
            "{} panicked: {}",
            self.asked,
            self.err
        );
        self.err
    }
}

pub fn run(environment: &Environment, arguments: &[&str]) -> Finished {
    run_with_input(environment, arguments, "")
}

pub fn run_with_input(environment: &Environment, arguments: &[&str], input: &str) -> Finished {
    let mut command = command(environment);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("start the binary");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    // A command that does not read its input closes the pipe, which is its right.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().expect("wait for the command");
    Finished {
        code: status.code(),
        out: String::from_utf8(stdout).expect("output is UTF-8"),
        err: String::from_utf8(stderr).expect("output is UTF-8"),
        asked: format!("bugle {}", arguments.join(" ")),
    }
}
