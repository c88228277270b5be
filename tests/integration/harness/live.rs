//! In: the applications under `tests/sdk` and `tests/browser`. Out: commands that run them, with what they need installed
//! once into `target/tmp`, from their lock files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

/// Real SDKs and browsers take seconds and packages; `script/test` asks for them, a plain `cargo test` does not.
pub fn wanted() -> bool {
    let wanted = std::env::var_os("TEST_LIVE").is_some_and(|value| value == "1");
    if !wanted {
        eprintln!("not run: TEST_LIVE=1 asks for real SDKs and browsers");
    }
    wanted
}

fn source(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder)
}

/// One installation at a time; the second test to come finds it done.
static INSTALLING: Mutex<()> = Mutex::new(());

/// A copy of the folder outside the sources, installed anew whenever `lock` differs from the last time.
fn installed(folder: &str, lock: &str, install: impl FnOnce(&Path)) -> PathBuf {
    let _turn = INSTALLING
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("live")
        .join(folder);
    fs::create_dir_all(&target).expect("make a folder below target");
    for entry in fs::read_dir(source(folder)).expect("the application is there") {
        let path = entry.expect("a folder can be read").path();
        if path.is_file() {
            fs::copy(
                &path,
                target.join(path.file_name().expect("a file has a name")),
            )
            .expect("copy the application");
        }
    }
    let wanted = fs::read(target.join(lock)).expect("the application has its lock file");
    let stamp = target.join(".installed");
    if fs::read(&stamp).is_ok_and(|stamp| stamp == wanted) {
        return target;
    }
    install(&target);
    fs::write(stamp, wanted).expect("note the installation");
    target
}

fn npm(folder: &str) -> PathBuf {
    installed(folder, "package-lock.json", |target| {
        run(Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(target));
    })
}

/// Runs a command that must succeed.
#[track_caller]
pub fn run(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed: {}",
        said(&output)
    );
    output
}

pub fn said(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

pub fn python() -> PathBuf {
    let target = installed("sdk/python", "requirements.txt", |target| {
        run(Command::new("python3")
            .args(["-m", "venv", "venv"])
            .current_dir(target));
        run(Command::new("venv/bin/pip")
            .args(["install", "--quiet", "--requirement", "requirements.txt"])
            .current_dir(target));
    });
    target.join("venv/bin/python")
}

/// The Python application: `app.py` under its interpreter.
pub fn python_app() -> Command {
    let python = python();
    let folder = python
        .ancestors()
        .nth(3)
        .expect("the interpreter lies three levels deep")
        .to_owned();
    let mut command = Command::new(python);
    command.arg("app.py").current_dir(folder);
    command
}

pub fn node_app() -> Command {
    let mut command = Command::new("node");
    command.arg("app.js").current_dir(npm("sdk/node"));
    command
}

/// `sentry-cli`, beside a built script and its map.
pub fn sentry_cli() -> Command {
    let folder = npm("sdk/cli");
    let mut command = Command::new(folder.join("node_modules/.bin/sentry-cli"));
    command.current_dir(folder);
    command
}

/// A script that drives Chromium.
pub fn browser_script(folder: &str, script: &str) -> Command {
    let mut command = Command::new("node");
    command
        .arg(script)
        .env("CHROMIUM", chromium())
        .current_dir(npm(folder));
    command
}

pub fn rust_app() -> Command {
    let manifest = source("sdk/rust/Cargo.toml");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live/rust");
    let _turn = INSTALLING
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--quiet", "--locked", "--manifest-path"])
        .arg(manifest);
    run(build.arg("--target-dir").arg(&target));
    Command::new(target.join("debug/bugle-test-sdk-rust"))
}

fn chromium() -> PathBuf {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let usual = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ];
    let found = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<_> = std::env::split_paths(&path).collect();
        usual
            .iter()
            .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
            .find(|path| path.exists())
    };
    named
        .or_else(found)
        .expect("Chromium is installed, or CHROMIUM names it")
}
