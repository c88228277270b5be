//! Terms of a search. In: a term's key and value. Out: a condition, or a sentence that says why there is none.

use super::{Condition, Count, IssueName, Text, Time, Values, priority_of};
use crate::model::event::Level;
use crate::model::issue::{Status, Substatus};
use crate::model::search_value::{self, Comparison, Pattern};

/// Fields of events that no aggregate holds, so that a list cannot be asked for them.
const NOT_AGGREGATED: &[&str] = &[
    "user.id",
    "user.email",
    "user.username",
    "user.ip",
    "http.method",
    "http.referer",
    "sdk.name",
    "sdk.version",
    "stack.filename",
    "stack.function",
    "stack.module",
    "stack.abs_path",
    "stack.package",
    "error.mechanism",
    "trace",
    "release.version",
    "release.build",
    "release.package",
    "release.stage",
    "device.uuid",
];

impl Condition {
    /// Reads one term. The value is as typed, without the quotes around it; `now` is what relative times refer to.
    pub fn parse(key: &str, value: &str, negated: bool, now: i64) -> Result<Self, String> {
        let wanted = !negated;
        let lower = key.to_ascii_lowercase();
        match lower.as_str() {
            "is" => state(value, wanted),
            "has" => Ok(has(value, wanted)),
            "level" => levels(value, wanted),
            "project" | "project.name" => Ok(Self::Projects {
                slugs: search_value::list(value)?,
                wanted,
            }),
            "project.id" | "organization" => Err(format!(
                "{key} is not a search term; use project or the project parameter"
            )),
            "issue" | "issue.id" => issues(value, wanted),
            "timesseen" | "times_seen" => count(Count::Events, value, negated),
            "userseen" | "users_seen" | "usercount" => count(Count::Users, value, negated),
            "age" | "firstseen" | "first_seen" => time(Time::FirstSeen, value, negated, now),
            "lastseen" | "last_seen" => time(Time::LastSeen, value, negated, now),
            "event.timestamp" | "timestamp" => event_time(value, negated, now),
            "firstrelease" | "first-release" => text(Text::FirstRelease, value, wanted),
            "regressedrelease" | "regressed-release" => text(Text::RegressedRelease, value, wanted),
            "title" | "message" => text(Text::Title, value, wanted),
            "error.type" => text(Text::Type, value, wanted),
            "error.value" => text(Text::Value, value, wanted),
            "culprit" => text(Text::Culprit, value, wanted),
            "platform" | "platform.name" => text(Text::Platform, value, wanted),
            "event.type" => text(Text::Kind, value, wanted),
            "issue.type" | "issue.category" => Ok(Self::when((value == "error") == wanted)),
            "issue.priority" => priority(value, wanted),
            "assigned" | "assigned_or_suggested" | "bookmarks" | "subscribed" => {
                Ok(Self::when((value == "none") == wanted))
            }
            "http.url" => tag("url", value, wanted),
            "release" if value == "latest" => {
                Err("release:latest is not available; name the release".to_owned())
            }
            known if NOT_AGGREGATED.contains(&known) || known.starts_with("geo.") => {
                Err(format!("issues cannot be searched by {key}"))
            }
            _ => match key
                .strip_prefix("tags[")
                .and_then(|key| key.strip_suffix(']'))
            {
                Some(key) => tag(key, value, wanted),
                None => tag(key, value, wanted),
            },
        }
    }

    fn when(met: bool) -> Self {
        if met { Self::Always } else { Self::Never }
    }
}

fn state(word: &str, wanted: bool) -> Result<Condition, String> {
    if let Some(status) = Status::parse(word) {
        return Ok(Condition::Status { status, wanted });
    }
    let substatus = match word {
        "for_review" => Substatus::New,
        "unassigned" | "unlinked" => return Ok(Condition::when(wanted)),
        "assigned" | "linked" => return Ok(Condition::when(!wanted)),
        word => {
            Substatus::parse(word).ok_or_else(|| format!("'{word}' is not a state of an issue"))?
        }
    };
    Ok(Condition::Substatus { substatus, wanted })
}

fn has(key: &str, wanted: bool) -> Condition {
    match key {
        "assignee" | "assigned" | "bookmarks" => Condition::when(!wanted),
        _ => Condition::HasTag {
            key: key.to_owned(),
            wanted,
        },
    }
}

fn levels(value: &str, wanted: bool) -> Result<Condition, String> {
    let levels = match value.strip_prefix(">=").or_else(|| value.strip_prefix('≥')) {
        Some(name) => {
            let least = level(name)?;
            Level::ALL
                .into_iter()
                .filter(|level| *level >= least)
                .collect()
        }
        None => search_value::list(value)?
            .iter()
            .map(|name| level(name))
            .collect::<Result<Vec<_>, _>>()?,
    };
    Ok(Condition::Levels {
        levels: levels.into_iter().map(Level::as_i32).collect(),
        wanted,
    })
}

fn level(name: &str) -> Result<Level, String> {
    Level::from_text(name).ok_or_else(|| format!("'{name}' is not a level"))
}

fn priority(value: &str, wanted: bool) -> Result<Condition, String> {
    let mut levels = Vec::new();
    for name in search_value::list(value)? {
        let before = levels.len();
        levels.extend(
            Level::ALL
                .into_iter()
                .filter(|level| priority_of(*level) == name),
        );
        if levels.len() == before {
            return Err(format!("'{name}' is not a priority"));
        }
    }
    Ok(Condition::Levels {
        levels: levels.into_iter().map(Level::as_i32).collect(),
        wanted,
    })
}

fn issues(value: &str, wanted: bool) -> Result<Condition, String> {
    let names = search_value::list(value)?
        .iter()
        .map(|name| IssueName::parse(name).ok_or_else(|| format!("'{name}' is not an issue")))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Condition::Issues { names, wanted })
}

fn count(count: Count, value: &str, negated: bool) -> Result<Condition, String> {
    let (comparison, number) = search_value::number(value)?;
    Ok(Condition::Count {
        count,
        comparison: comparison.unless(negated),
        number,
    })
}

fn time(time: Time, value: &str, negated: bool, now: i64) -> Result<Condition, String> {
    let (comparison, millis) = search_value::time(value, now)?;
    Ok(Condition::Time {
        time,
        comparison: comparison.unless(negated),
        millis,
    })
}

/// Some event lies on that side of a moment: the last one after it, or the first one before it.
fn event_time(value: &str, negated: bool, now: i64) -> Result<Condition, String> {
    let (comparison, millis) = search_value::time(value, now)?;
    let comparison = comparison.unless(negated);
    let time = match comparison {
        Comparison::More | Comparison::AtLeast => Time::LastSeen,
        Comparison::Less | Comparison::AtMost => Time::FirstSeen,
        Comparison::Is | Comparison::IsNot => {
            return Err("event.timestamp needs <, <=, > or >=".to_owned());
        }
    };
    Ok(Condition::Time {
        time,
        comparison,
        millis,
    })
}

fn text(text: Text, value: &str, wanted: bool) -> Result<Condition, String> {
    let value = values(value)?;
    Ok(Condition::Text {
        text,
        value,
        wanted,
    })
}

fn tag(key: &str, value: &str, wanted: bool) -> Result<Condition, String> {
    let key = key.to_owned();
    if value.is_empty() {
        // `key:""` asks for those without it.
        return Ok(Condition::HasTag {
            key,
            wanted: !wanted,
        });
    }
    let value = values(value)?;
    Ok(Condition::Tag { key, value, wanted })
}

fn values(value: &str) -> Result<Values, String> {
    let is_list = value.starts_with('[') && value.ends_with(']');
    let pattern = Pattern::parse(value);
    match pattern.exact() {
        Some(exact) if !is_list => Ok(Values::AnyOf(vec![exact])),
        Some(_) => Ok(Values::AnyOf(search_value::list(value)?)),
        None if is_list => Err("a list of values cannot have the wildcard *".to_owned()),
        None => Ok(Values::Like(pattern)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000 * 86_400_000;

    fn read(key: &str, value: &str) -> Result<Condition, String> {
        Condition::parse(key, value, false, NOW)
    }

    #[test]
    fn terms_become_conditions() {
        assert_eq!(
            read("is", "muted"),
            Ok(Condition::Status {
                status: Status::Ignored,
                wanted: true
            })
        );
        assert_eq!(read("is", "assigned"), Ok(Condition::Never));
        assert_eq!(
            read("level", "[error, fatal]"),
            Ok(Condition::Levels {
                levels: vec![40, 50],
                wanted: true
            })
        );
        assert_eq!(
            read("timesSeen", ">1k"),
            Ok(Condition::Count {
                count: Count::Events,
                comparison: Comparison::More,
                number: 1000
            })
        );
        assert_eq!(
            Condition::parse("timesSeen", ">10", true, NOW),
            Ok(Condition::Count {
                count: Count::Events,
                comparison: Comparison::AtMost,
                number: 10
            })
        );
        assert_eq!(
            read("age", "-24h"),
            Ok(Condition::Time {
                time: Time::FirstSeen,
                comparison: Comparison::AtLeast,
                millis: NOW - 86_400_000
            })
        );
        assert_eq!(
            read("issue", "SHOP-4F"),
            Ok(Condition::Issues {
                names: vec![IssueName::Short("SHOP".to_owned(), 143)],
                wanted: true
            })
        );
        assert_eq!(
            read("tags[is]", "x"),
            Ok(Condition::Tag {
                key: "is".to_owned(),
                value: Values::AnyOf(vec!["x".to_owned()]),
                wanted: true
            })
        );
        assert_eq!(
            read("url", ""),
            Ok(Condition::HasTag {
                key: "url".to_owned(),
                wanted: false
            })
        );
    }

    #[test]
    fn what_cannot_be_asked_is_said() {
        for (key, value) in [
            ("is", "odd"),
            ("level", "loud"),
            ("timesSeen", "many"),
            ("age", "24"),
            ("issue", "x"),
            ("user.email", "a@b"),
            ("release", "latest"),
            ("browser", "[a*, b]"),
            ("event.timestamp", "2026-01-01T00:00:00"),
        ] {
            assert!(read(key, value).is_err(), "{key}:{value}");
        }
    }
}
