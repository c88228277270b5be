//! What SDKs tell of sessions. In: a `session` or `sessions` item. Out: one session that began or went on, or counts of sessions that are
//! over. Source: "Sessions" of the SDK documentation; a session never gets better, so updates may come in any order.

use md5::{Digest, Md5};

use super::normalize;
use super::time;
use crate::model::release_health::{Health, Sessions};
use crate::protocol::json::{self, Json, Object};

const SECOND_US: i64 = 1_000_000;
/// A session that began longer ago is not counted: what is known of it is forgotten.
pub const OLDEST_MS: i64 = 5 * 24 * 60 * 60 * 1000;
const AHEAD_MS: i64 = 60 * 1000;
/// A clock that is off by less is the way of the request.
const DRIFT_MS: i64 = 55 * 60 * 1000;
/// Sessions of one count: more than a busy process starts in a minute.
const MOST: i64 = 10_000_000;

/// Sessions of one release and environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionReport {
    pub release: String,
    pub environment: Option<String>,
    pub started_ms: i64,
    /// Who had it, as a hash.
    pub user: Option<u64>,
    pub told: Told,
}

/// What is told of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    One { sid: [u8; 16], health: Health },
    Many(Sessions),
}

impl Told {
    pub fn has_crashed(&self) -> bool {
        match self {
            Self::One { health, .. } => *health == Health::Crashed,
            Self::Many(sessions) => sessions.crashed > 0,
        }
    }
}

/// What an item told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    pub reports: Vec<SessionReport>,
    /// Sessions beside them that began too long ago.
    pub too_old: i64,
}

/// Reads an item; the reason under which Usage counts what is none.
pub fn read(
    payload: &[u8],
    received_ms: i64,
    sent_at_ms: Option<i64>,
) -> Result<Item, &'static str> {
    let Ok(Json::Object(mut item)) = json::parse(payload) else {
        return Err("malformed");
    };
    let attributes = match item.remove("attrs") {
        Some(Json::Object(attributes)) => attributes,
        _ => Object::default(),
    };
    let (release, environment) = normalize::release_and_environment(attributes);
    let release = release.ok_or("no_release")?.into_owned();
    let environment = environment.map(std::borrow::Cow::into_owned);
    let clock = Clock::new(received_ms, sent_at_ms);
    let report = |object: &Object<'_>, told| {
        Ok::<_, &'static str>(SessionReport {
            release: release.clone(),
            environment: environment.clone(),
            started_ms: clock.started(object)?,
            user: user(object.get("did")),
            told,
        })
    };
    match item.get("aggregates") {
        None => {
            let told = one(&item)?;
            Ok(Item {
                reports: vec![report(&item, told)?],
                too_old: 0,
            })
        }
        Some(Json::List(counts)) => {
            let mut read = Item::default();
            for count in counts.iter().filter_map(Json::as_object) {
                let sessions = many(count);
                match report(count, Told::Many(sessions)) {
                    _ if sessions.total == 0 => {}
                    Ok(report) => read.reports.push(report),
                    Err(_) => read.too_old += sessions.total,
                }
            }
            Ok(read)
        }
        Some(_) => Err("malformed"),
    }
}

fn one(item: &Object<'_>) -> Result<Told, &'static str> {
    let sid = item.get_str("sid").and_then(sid).ok_or("no_session_id")?;
    let status = item.get_str("status").unwrap_or("ok");
    let by_status = match status {
        "crashed" => Health::Crashed,
        "abnormal" => Health::Abnormal,
        "unhandled" => Health::Unhandled,
        "errored" => Health::Errored,
        _ => Health::Healthy,
    };
    let by_errors = match number(item.get("errors")) {
        0 => Health::Healthy,
        _ => Health::Errored,
    };
    Ok(Told::One {
        sid,
        health: by_status.max(by_errors),
    })
}

fn many(count: &Object<'_>) -> Sessions {
    let of = |name: &str| number(count.get(name));
    let mut sessions = Sessions::default();
    for (name, health) in [
        ("exited", Health::Healthy),
        ("errored", Health::Errored),
        ("unhandled", Health::Unhandled),
        ("abnormal", Health::Abnormal),
        ("crashed", Health::Crashed),
    ] {
        sessions.add(health, of(name));
    }
    sessions
}

/// A count, whatever stands there.
fn number(value: Option<&Json<'_>>) -> i64 {
    match value {
        Some(Json::I64(number)) => (*number).clamp(0, MOST),
        Some(Json::U64(_)) => MOST,
        Some(Json::F64(number)) if number.is_finite() => (*number as i64).clamp(0, MOST),
        _ => 0,
    }
}

/// A UUID in any of its forms.
fn sid(text: &str) -> Option<[u8; 16]> {
    let id: crate::protocol::event_id::EventId = text.parse().ok()?;
    (!id.is_nil()).then(|| *id.as_bytes())
}

fn user(did: Option<&Json<'_>>) -> Option<u64> {
    let digest = |text: &str| {
        let digest: [u8; 16] = Md5::digest(text.as_bytes()).into();
        u64::from_le_bytes(digest[..8].try_into().expect("eight of sixteen bytes"))
    };
    match did? {
        Json::Str(text) if !text.trim().is_empty() => Some(digest(text.trim())),
        Json::I64(number) => Some(digest(&number.to_string())),
        Json::U64(number) => Some(digest(&number.to_string())),
        _ => None,
    }
}

/// The sender's clock beside ours.
struct Clock {
    received_ms: i64,
    drift_ms: i64,
}

impl Clock {
    fn new(received_ms: i64, sent_at_ms: Option<i64>) -> Self {
        let drift_ms = sent_at_ms.map_or(0, |sent| received_ms.saturating_sub(sent));
        Self {
            received_ms,
            drift_ms: if drift_ms.saturating_abs() >= DRIFT_MS {
                drift_ms
            } else {
                0
            },
        }
    }

    fn started(&self, object: &Object<'_>) -> Result<i64, &'static str> {
        let told = object.get("started").and_then(time::parse);
        let Some(told_us) = told else {
            return Ok(self.received_ms);
        };
        let started = told_us
            .div_euclid(SECOND_US / 1000)
            .saturating_add(self.drift_ms);
        if started < self.received_ms - OLDEST_MS {
            return Err("too_old");
        }
        Ok(if started > self.received_ms + AHEAD_MS {
            self.received_ms
        } else {
            started
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2026-11-21T01:30:00Z
    const NOW: i64 = 1_795_224_600_000;

    fn of(text: &str) -> Result<Vec<SessionReport>, &'static str> {
        read(text.as_bytes(), NOW, None).map(|item| item.reports)
    }

    #[test]
    fn a_session_of_python() {
        let found = of(
            r#"{"sid":"9527dcf2-8358-4f82-8214-8b35adcc9522","init":true,"started":"2026-11-21T01:09:49.918333Z",
            "timestamp":"2026-11-21T01:09:49.932645Z","status":"exited","errors":1,"did":"4711","attrs":{"release":"shop@1.4.2","environment":"production"}}"#,
        );
        let report = &found.expect("a session")[0];
        assert_eq!(
            (report.release.as_str(), report.environment.as_deref()),
            ("shop@1.4.2", Some("production"))
        );
        assert_eq!(report.started_ms, 1_795_223_389_918);
        assert!(report.user.is_some());
        let Told::One { health, .. } = report.told else {
            panic!("one session")
        };
        assert_eq!(health, Health::Errored);
    }

    #[test]
    fn counts_of_a_server() {
        let found = of(r#"{"aggregates":[{"started":"2026-11-21T01:10:00.000Z","exited":3,"errored":1,"crashed":1},{"started":"2026-11-21T01:11:00Z"}],
            "attrs":{"release":"node-shop@2.0.1"}}"#).expect("counts");
        assert_eq!(found.len(), 1, "a count of nothing is none");
        assert_eq!(
            found[0].told,
            Told::Many(Sessions {
                total: 5,
                errored: 1,
                crashed: 1,
                ..Sessions::default()
            })
        );
        assert!(found[0].told.has_crashed());
    }

    #[test]
    fn an_old_count_costs_the_others_nothing() {
        let text = r#"{"aggregates":[{"started":"2026-11-21T01:10:00Z","exited":3},{"started":"2026-11-01T01:10:00Z","exited":2}],"attrs":{"release":"a"}}"#;
        let item = read(text.as_bytes(), NOW, None).expect("counts");
        assert_eq!((item.reports.len(), item.too_old), (1, 2));
    }

    #[test]
    fn what_is_no_session_says_why() {
        assert_eq!(of("[]"), Err("malformed"));
        assert_eq!(
            of(r#"{"sid":"9527dcf283584f8282148b35adcc9522"}"#),
            Err("no_release")
        );
        assert_eq!(
            of(r#"{"attrs":{"release":"a/b"},"sid":"9527dcf283584f8282148b35adcc9522"}"#),
            Err("no_release")
        );
        assert_eq!(
            of(r#"{"attrs":{"release":"a"},"sid":"x"}"#),
            Err("no_session_id")
        );
        assert_eq!(
            of(r#"{"attrs":{"release":"a"},"sid":"00000000000000000000000000000000"}"#),
            Err("no_session_id")
        );
        assert_eq!(
            of(r#"{"attrs":{"release":"a"},"aggregates":5}"#),
            Err("malformed")
        );
        assert_eq!(
            of(
                r#"{"attrs":{"release":"a"},"sid":"9527dcf283584f8282148b35adcc9522","started":"2026-11-01T00:00:00Z"}"#
            ),
            Err("too_old")
        );
    }

    #[test]
    fn a_wrong_clock_is_corrected() {
        let text = r#"{"attrs":{"release":"a"},"sid":"9527dcf283584f8282148b35adcc9522","started":"2020-01-01T00:00:00Z"}"#;
        let sent = 1_577_836_860_000; // a minute later, by that clock
        let found = read(text.as_bytes(), NOW, Some(sent))
            .expect("a session")
            .reports;
        assert_eq!(found[0].started_ms, NOW - 60_000);
        let ahead = r#"{"attrs":{"release":"a"},"sid":"9527dcf283584f8282148b35adcc9522","started":"2026-11-21T02:00:00Z"}"#;
        assert_eq!(of(ahead).expect("a session")[0].started_ms, NOW);
    }

    proptest! {
        #[test]
        fn any_item_is_read_without_a_panic(bytes: Vec<u8>, errors: i64, started: f64, exited: i64) {
            let _ = read(&bytes, NOW, Some(started as i64));
            let text = format!(r#"{{"attrs":{{"release":"a"}},"sid":"9527dcf283584f8282148b35adcc9522","errors":{errors},"started":{started:?}}}"#);
            let _ = of(&text);
            let text = format!(r#"{{"attrs":{{"release":"a"}},"aggregates":[{{"exited":{exited},"crashed":{errors}}}]}}"#);
            for report in of(&text).expect("counts") {
                let Told::Many(sessions) = report.told else { panic!("counts") };
                prop_assert!(sessions.total <= 2 * MOST && sessions.healthy() >= 0);
            }
        }
    }
}
