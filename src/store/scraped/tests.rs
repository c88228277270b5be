//! What becomes of scripts over time: what tests over HTTP cannot wait for.

use super::*;
use crate::store::issue_fixture::{Fixture, NOW};
use crate::store::project_settings::{self, ProjectSettings};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const LIFE_MS: i64 = 90 * DAY_MS;

fn project_that_fetches(fixture: &mut Fixture) -> Project {
    let project = fixture.acme.project(&mut fixture.conn, "shop");
    let project = project.expect("a project");
    let settings = ProjectSettings {
        project_id: project.id,
        fetch_source_maps: true,
        ..ProjectSettings::default()
    };
    project_settings::set(&mut fixture.conn, &settings, None).expect("settings");
    project
}

fn script(number: usize, release: Option<&str>) -> WantedScript {
    WantedScript {
        url: format!("https://shop.example.com/{number}.js"),
        release: release.map(str::to_owned),
        dist: None,
    }
}

fn ask_for(conn: &mut Conn, project: &Project, script: &WantedScript, row: i64, now: i64) -> Asked {
    let asking = Asking {
        project_id: project.id,
        script,
        issue_id: row % 10,
        event_row: row,
    };
    ask(conn, &[asking], now).expect("asked")
}

fn begun(conn: &mut Conn, project: &Project, script: &WantedScript, now: i64) -> ScrapedScript {
    match begin(conn, project.id, &key_of(script), now).expect("begun") {
        Begin::Go(row) => *row,
        other => panic!("{other:?}"),
    }
}

fn kept(conn: &mut Conn, row: &ScrapedScript, size: i64, now: i64) -> Finished {
    let file = NewFile {
        kind: ArtifactKind::MinifiedSource.number(),
        debug_id: None,
        url: row.url.clone(),
        source_map: None,
        blob_key: "artifacts/aa/aa".to_owned(),
        size: 3,
        compiled_key: Some("compiled/aa/aa".to_owned()),
        problem: None,
        checksum: String::new(),
        missing_map: None,
    };
    keep(conn, row, &[file], size, LIFE_MS, now).expect("kept")
}

#[test]
fn one_fetch_serves_all_and_is_good_for_a_day_without_a_release() {
    let mut fixture = Fixture::new();
    let project = project_that_fetches(&mut fixture);
    let conn = &mut fixture.conn;
    let loose = script(1, None);
    let named = script(1, Some("shop@1"));
    let project_id = project.id;
    assert_eq!(ask_for(conn, &project, &loose, 11, NOW).fetch.len(), 1);
    // Of each issue one event waits, and nobody fetches twice.
    for row in [21, 12] {
        assert_eq!(ask_for(conn, &project, &loose, row, NOW), Asked::default());
    }
    assert_eq!(ask_for(conn, &project, &named, 13, NOW).fetch.len(), 1);
    let row = begun(conn, &project, &loose, NOW);
    assert_eq!(kept(conn, &row, 10, NOW).again, [11, 12]);
    let named_row = begun(conn, &project, &named, NOW);
    assert!(kept(conn, &named_row, 10, NOW).is_kept);
    // What was under way meanwhile is processed again at once.
    let late = ask_for(conn, &project, &loose, 14, NOW);
    assert_eq!(late.again, [(14, key_of(&loose))]);
    let known = |conn: &mut Conn, script: &WantedScript, now| {
        look_up(conn, project_id, script, now).expect("looked up")
    };
    assert!(matches!(
        known(conn, &loose, NOW + DAY_MS - 1),
        Known::Fetched(_)
    ));
    assert_eq!(known(conn, &loose, NOW + DAY_MS), Known::NotYet);
    assert!(matches!(
        known(conn, &named, NOW + DAY_MS),
        Known::Fetched(_)
    ));
    // Fetched anew, the one from before is of no use.
    let later = NOW + DAY_MS;
    assert_eq!(ask_for(conn, &project, &loose, 15, later).fetch.len(), 1);
    let row = begun(conn, &project, &loose, later);
    let old = row.bundle_id.expect("it was fetched before");
    assert_eq!(kept(conn, &row, 10, later).unused, [old]);
    // In the end all goes by itself.
    let end = NOW + LIFE_MS + DAY_MS;
    let (of, unused) = expire(conn, end, 10).expect("expired").expect("some");
    assert_eq!((of, unused.len()), (project.id, 2));
    assert_eq!(expire(conn, end, 10).expect("expired"), None);
}

#[test]
fn failures_count_for_an_hour() {
    let mut fixture = Fixture::new();
    let project = project_that_fetches(&mut fixture);
    let conn = &mut fixture.conn;
    let wanted = script(1, None);
    ask_for(conn, &project, &wanted, 11, NOW);
    let row = begun(conn, &project, &wanted, NOW);
    let finished = fail(conn, &row, "it answered\0 404", NOW).expect("noted");
    assert_eq!(finished.again, [11]);
    let soon = look_up(conn, project.id, &wanted, NOW + FAILURE_COUNTS_MS - 1);
    assert_eq!(
        soon.expect("looked up"),
        Known::Failed("it answered 404".into())
    );
    let later = NOW + FAILURE_COUNTS_MS;
    assert_eq!(ask_for(conn, &project, &wanted, 12, later).fetch.len(), 1);
    // Somebody turns it off: nobody waits any more.
    project_settings::set(
        conn,
        &ProjectSettings {
            project_id: project.id,
            ..ProjectSettings::default()
        },
        None,
    )
    .expect("settings");
    let gone = begin(conn, project.id, &key_of(&wanted), later).expect("asked");
    assert_eq!(gone, Begin::Gone);
}

#[test]
fn a_project_has_bounds() {
    let mut fixture = Fixture::new();
    let project = project_that_fetches(&mut fixture);
    let conn = &mut fixture.conn;
    let scripts: Vec<WantedScript> = (0..150).map(|number| script(number, None)).collect();
    let asked = scripts
        .iter()
        .filter(|script| !ask_for(conn, &project, script, 11, NOW).fetch.is_empty())
        .count();
    assert_eq!(asked as i64, MOST_WAITING);
    let half = MOST_KEPT_BYTES / 2;
    let mut unused = Vec::new();
    for script in &scripts[..MOST_A_MINUTE as usize] {
        let row = begun(conn, &project, script, NOW);
        unused.extend(kept(conn, &row, half, NOW).unused);
    }
    assert_eq!(unused.len() as i64, MOST_A_MINUTE - 2);
    let next = key_of(&scripts[MOST_A_MINUTE as usize]);
    let soon = begin(conn, project.id, &next, NOW + 59_000).expect("asked");
    assert_eq!(soon, Begin::TooMany);
    begun(
        conn,
        &project,
        &scripts[MOST_A_MINUTE as usize],
        NOW + 60_000,
    );
}
