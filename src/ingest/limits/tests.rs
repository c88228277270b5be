//! Limits under a clock of our own.

use super::*;

const NOW: i64 = 1_795_000_030_000;
const MINUTE: i64 = 60_000;

fn key(id: i64, project_id: i64, minute: Option<i64>, month: Option<i64>) -> KeyRow {
    KeyRow {
        id,
        public_key: format!("key{id}"),
        project_id,
        organization_id: 1,
        is_active: true,
        minute_limit: minute,
        month_limit: month,
        expires_at: None,
    }
}

fn row(id: i64, minute: Option<i64>, month: Option<i64>) -> LimitRow {
    LimitRow {
        id,
        minute_limit: minute,
        month_limit: month,
    }
}

fn limits(key_minute: i64, settings: &Settings) -> Limits {
    let limits = Limits::new(key_minute, HashMap::new());
    limits.replace(settings);
    limits
}

fn admitted(limits: &Limits, key_id: i64, now_ms: i64, most: usize) -> usize {
    let quotas = limits.of(key_id).expect("a limit");
    (0..most)
        .take_while(|_| admit(&quotas, now_ms).is_ok())
        .count()
}

#[test]
fn without_limits_nothing_is_asked() {
    let settings = Settings {
        keys: vec![key(1, 1, None, None), key(2, 1, Some(0), Some(0))],
        ..Settings::default()
    };
    assert!(limits(0, &settings).of(1).is_none());
    // The server's default is for keys that say nothing; 0 of a key's own is no limit.
    let by_default = limits(5, &settings);
    assert_eq!(admitted(&by_default, 1, NOW, 99), 5);
    assert!(by_default.of(2).is_none());
}

#[test]
fn a_minute_ends_and_begins_anew() {
    let settings = Settings {
        keys: vec![key(1, 1, Some(3), None)],
        ..Settings::default()
    };
    let limits = limits(0, &settings);
    assert_eq!(admitted(&limits, 1, NOW, 99), 3);
    let quotas = limits.of(1).expect("a limit");
    let reached = reached(&quotas, NOW).expect("it is reached");
    assert_eq!(reached.reason(), "key_minute");
    let seconds = Span::Minute.seconds_left(NOW);
    assert_eq!(reached.header(), format!("{seconds}:error:key:key_minute"));
    assert_eq!(reached.retry_after(), seconds);
    assert_eq!(admitted(&limits, 1, NOW + MINUTE, 99), 3);
}

#[test]
fn the_narrowest_limit_speaks_first_and_a_refusal_counts_nowhere() {
    let settings = Settings {
        keys: vec![
            key(1, 1, Some(2), None),
            key(2, 1, None, None),
            key(3, 2, None, None),
        ],
        projects: vec![row(1, Some(5), None), row(2, None, None)],
        organizations: vec![row(1, None, Some(6))],
        version: 1,
    };
    let limits = limits(0, &settings);
    assert_eq!(admitted(&limits, 1, NOW, 10), 2);
    // What the key's limit refused left the project's room alone.
    assert_eq!(admitted(&limits, 2, NOW, 10), 3);
    let quotas = limits.of(2).expect("a limit");
    assert_eq!(
        admit(&quotas, NOW).expect_err("full").reason(),
        "project_minute"
    );
    assert_eq!(admitted(&limits, 3, NOW, 10), 1);
    let quotas = limits.of(1).expect("a limit");
    let all = admit(&quotas, NOW).expect_err("full").header();
    assert!(all.contains(":error:key:key_minute, "), "{all}");
    assert!(all.ends_with("600:error:organization:org_month"), "{all}");
    // A minute later only the month is full.
    let later = admit(&quotas, NOW + MINUTE).expect_err("full");
    assert_eq!(later.reason(), "org_month");
}

#[test]
fn what_could_not_be_kept_is_given_back() {
    let settings = Settings {
        keys: vec![key(1, 1, Some(1), Some(1))],
        ..Settings::default()
    };
    let limits = limits(0, &settings);
    let quotas = limits.of(1).expect("a limit");
    assert!(admit(&quotas, NOW).is_ok());
    assert!(admit(&quotas, NOW).is_err());
    give_back(&quotas, NOW);
    assert!(admit(&quotas, NOW).is_ok());
}

#[test]
fn counts_outlive_new_limits_and_restarts() {
    let mut settings = Settings {
        keys: vec![key(1, 1, None, Some(3))],
        ..Settings::default()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let first = limits(0, &settings);
    assert_eq!(admitted(&first, 1, NOW, 99), 3);
    settings.keys[0].month_limit = Some(5);
    first.replace(&settings);
    assert_eq!(admitted(&first, 1, NOW, 99), 2);
    let mut file = snapshot::Snapshot::new(folder.path());
    file.write(&first).expect("written");

    let second = Limits::new(0, snapshot::load(folder.path()));
    second.replace(&settings);
    assert_eq!(admitted(&second, 1, NOW, 99), 0);
    settings.keys[0].month_limit = Some(6);
    second.replace(&settings);
    // The database knows of one more, from another node.
    second.raise_months(1, Span::Month.index(NOW), &[(1, 1, 6)]);
    assert_eq!(admitted(&second, 1, NOW, 99), 0);
    // A new month.
    assert_eq!(admitted(&second, 1, NOW + 31 * 86_400_000, 99), 6);

    std::fs::write(folder.path().join("limits.json"), "{").expect("a file");
    assert!(snapshot::load(folder.path()).is_empty());
}

#[test]
fn many_threads_take_exactly_the_limit() {
    let settings = Settings {
        keys: vec![key(1, 1, Some(1000), None)],
        projects: vec![row(1, Some(1500), None)],
        ..Settings::default()
    };
    let limits = limits(0, &settings);
    let quotas = limits.of(1).expect("a limit");
    let taken: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..500).filter(|_| admit(&quotas, NOW).is_ok()).count()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a thread"))
            .sum()
    });
    assert_eq!(taken, 1000);
}
