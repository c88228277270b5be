//! In: a project with a long backlog, and one that seldom sends. Out: the quiet project's event, the last in line, is visible
//! while events of the noisy one still wait.

use std::thread;
use std::time::Instant;

use bugle::store::digest::partition_of;
use serde_json::{Value, json};

use super::load::tell;
use crate::harness::sdk::{envelope, error, message};
use crate::harness::{App, Sdk, poll};

const BACKLOG: u64 = 8_000;
const SENDERS: u64 = 8;
/// Frames of each noisy event: enough that the backlog is seconds of work, on any machine.
const FRAMES: usize = 60;

/// The quiet project shares its partition, and so its stream, with the noisy one: the worst case.
#[test]
fn a_quiet_project_does_not_wait_for_a_noisy_ones_backlog() {
    let mut app = App::with()
        .env("BUGLE_WORKERS", "0")
        .env("BUGLE_SPIKE_LIMIT", "0")
        .start();
    let quiet = app.sdk();
    let noisy = noisy_neighbour(&app, &quiet);
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let noisy = noisy.clone();
            thread::spawn(move || {
                for number in 0..BACKLOG / SENDERS {
                    noisy
                        .envelope(&envelope(&deep_error(sender, number)))
                        .expect(200);
                }
            })
        })
        .collect();
    for sender in senders {
        sender.join().expect("all are accepted");
    }
    let id = quiet.send(&message("does anybody hear me?"));
    app.server_mut().terminate();
    app.environment.remove("BUGLE_WORKERS");
    app.boot();
    let booted = Instant::now();
    let backlog = || app.health()["backlog"].as_u64().expect("a backlog");
    poll::until("the quiet project's event is visible", || {
        app.api().event("acme", "shop", &id).is_some()
    });
    let (took, left) = (booted.elapsed(), backlog());
    tell(&format!(
        "fairness: visible after {:.2} s, with {left} events of another project waiting",
        took.as_secs_f64()
    ));
    assert!(left > 0, "the quiet event came last");
    app.wait_idle_within(poll::DEADLINE * 10);
}

fn deep_error(sender: u64, number: u64) -> Value {
    let frames: Vec<Value> = (0..FRAMES)
        .map(|depth| {
            json!({
                "function": format!("step_{depth}"),
                "module": "shop.checkout",
                "filename": format!("shop/part_{depth}.py"),
                "lineno": depth + 1,
                "vars": {"sender": sender, "number": number, "depth": depth},
            })
        })
        .collect();
    let mut event = error("Flood", "again", &format!("f{}", number % 4));
    event["exception"]["values"][0]["stacktrace"]["frames"] = frames.into();
    event
}

/// A project in the partition of the quiet one.
fn noisy_neighbour(app: &App, quiet: &Sdk) -> Sdk {
    let partition = partition_of(quiet.project as i64);
    for number in 0.. {
        let slug = format!("noisy-{number}");
        let arguments = [
            "project",
            "create",
            "--org",
            "acme",
            "--slug",
            &slug,
            "--name",
            &slug,
            "--platform",
            "python",
        ];
        let sdk = app.sdk_of(&app.cli(&arguments).success());
        if partition_of(sdk.project as i64) == partition {
            return sdk;
        }
    }
    unreachable!("one of 16 partitions comes round")
}
