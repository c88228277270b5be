//! In: writes and syncs that fail, and a disk without room. Out: no 200 for what is not kept, acceptance again once the disk
//! works, and nothing lost of what was acknowledged.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;

use super::load::{Book, Load, tell};
use crate::harness::sdk::message;
use crate::harness::{App, poll};

/// The first write and sync make the first segment, without which nothing starts; each of the next ones fails once.
#[test]
fn each_failing_write_and_sync_is_refused_and_nothing_is_lost() {
    for fault in [
        "write:2", "write:3", "write:4", "sync:2", "sync:3", "sync:4",
    ] {
        let mut app = App::with()
            .errors_expected()
            .env("BUGLE_TEST_JOURNAL_FAULT", fault)
            .env("BUGLE_WORKERS", "0")
            .start();
        let book = Book::default();
        let mut answers = Vec::new();
        poll::until("one was refused and the next was taken", || {
            let answer = book.send(&app.sdk(), &format!("{fault} {}", answers.len()));
            answers.push(answer.status);
            let after = answers.iter().rposition(|status| *status == 503);
            answers.len() >= 4 && after.is_some_and(|at| at + 1 < answers.len())
        });
        assert!(
            answers.iter().all(|status| matches!(status, 200 | 503)),
            "{fault}: {answers:?}"
        );
        app.kill();
        app.environment.remove("BUGLE_TEST_JOURNAL_FAULT");
        app.environment.remove("BUGLE_WORKERS");
        app.boot();
        book.check(&app);
    }
}

/// Failures in a row, also of the repair, under load; then a crash right after.
#[test]
fn a_failing_disk_under_load_loses_nothing() {
    let mut app = App::with()
        .errors_expected()
        .env(
            "BUGLE_TEST_JOURNAL_FAULT",
            "write:5,sync:9,sync:14-16,write:30-31,sync:40",
        )
        .start();
    let book = Book::default();
    let load = Load::start(&app, &book, 3);
    let repaired = |app: &App| {
        let lines = app.server().log.lines();
        lines
            .iter()
            .filter(|line| line.contains("can be written again"))
            .count()
    };
    poll::until("it was repaired again and again", || repaired(&app) >= 4);
    let before = book.acknowledged();
    poll::until("it acknowledges again", || {
        book.acknowledged() > before + 20
    });
    app.kill();
    drop(load);
    app.environment.remove("BUGLE_TEST_JOURNAL_FAULT");
    app.boot();
    book.check_recovery(&app, "failing disk, then kill -9", Instant::now());
}

/// A real file system of two megabytes. Only root may mount one.
#[test]
fn a_full_disk_refuses_until_there_is_room() {
    let Some(disk) = SmallDisk::mount() else {
        tell("skipped: a full disk needs the right to mount a file system of its own");
        return;
    };
    let mut app = App::with().errors_expected().prepare();
    let folder = disk.folder().join("data");
    app.environment
        .insert("BUGLE_DATA_DIR".to_owned(), folder.display().to_string());
    app.environment
        .insert("BUGLE_DISK_LIMIT".to_owned(), "100".to_owned());
    app.boot();
    let book = Book::default();
    book.send(&app.sdk(), "before").expect(200);
    app.wait_idle();
    let ballast = disk.fill();
    let mut last = 200;
    poll::until("the disk is full", || {
        last = book.send(&app.sdk(), &"x".repeat(4_000)).status;
        last != 200
    });
    assert_eq!(last, 503);
    std::fs::remove_file(ballast).expect("make room");
    let start = Instant::now();
    poll::until("it accepts again", || {
        book.send(&app.sdk(), "after").status == 200
    });
    tell(&format!(
        "recovery, a full disk: accepting again after {:.1} s",
        start.elapsed().as_secs_f64()
    ));
    app.kill();
    app.boot();
    book.check(&app);
    app.server_mut().terminate();
}

/// Before the disk is really full, the share that `BUGLE_DISK_LIMIT` names.
#[test]
fn the_share_of_the_disk_is_kept() {
    let Some(disk) = SmallDisk::mount() else {
        tell("skipped: a full disk needs the right to mount a file system of its own");
        return;
    };
    let mut app = App::with().errors_expected().prepare();
    let folder = disk.folder().join("data");
    app.environment
        .insert("BUGLE_DATA_DIR".to_owned(), folder.display().to_string());
    app.boot();
    let book = Book::default();
    book.send(&app.sdk(), "before").expect(200);
    let ballast = disk.fill();
    poll::until("it refuses", || {
        book.send(&app.sdk(), "on a full disk").status == 503
    });
    std::fs::remove_file(ballast).expect("make room");
    poll::until("it accepts again", || {
        book.send(&app.sdk(), "after").status == 200
    });
    book.check(&app);
    app.server_mut().terminate();
}

struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = TempDir::new().expect("a temporary folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs"])
            .arg(folder.path())
            .output();
        mounted
            .is_ok_and(|done| done.status.success())
            .then_some(Self(folder))
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Leaves no byte free.
    fn fill(&self) -> PathBuf {
        let path = self.folder().join("ballast");
        let error = std::fs::write(&path, vec![1; 4 * 1024 * 1024]).expect_err("it is small");
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, because a failed test may leave its server behind for a moment.
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn health_tells_of_a_failing_disk() {
    let app = App::with()
        .errors_expected()
        .env("BUGLE_TEST_JOURNAL_FAULT", "sync:2,write:3-6")
        .start();
    assert_eq!(
        app.sdk()
            .envelope(&crate::harness::sdk::envelope(&message("lost")))
            .status,
        503
    );
    poll::until("not ready", || {
        app.anonymous().get("/health/ready").status == 503
    });
    poll::until("ready again", || {
        app.anonymous().get("/health/ready").status == 200
    });
    let id = app.sdk().send(&message("kept"));
    app.wait_idle();
    assert!(app.api().event("acme", "shop", &id).is_some());
}
