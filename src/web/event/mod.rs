//! One event, made ready for its page. In: the stored event as JSON. Out: what each panel shows, as texts and pairs.

pub mod breadcrumbs;
pub mod frame;
pub mod markdown;
pub mod marks;
mod removed;
pub mod request;
pub mod stack;
pub mod value;
pub mod why;

use serde_json::Value;

use crate::model::event::ReportKind;
use breadcrumbs::Crumb;
use request::Request;
use stack::{StackMode, Stacks};
use value::{Pair, pairs, show, text};

pub use why::Why;

/// A message beside or instead of an exception.
#[derive(Debug, Clone)]
pub struct Message {
    pub text: String,
    pub template: Option<String>,
    pub params: Option<String>,
}

/// A named group of pairs.
#[derive(Debug, Clone)]
pub struct Group {
    pub name: String,
    pub pairs: Vec<Pair>,
}

/// Something that was dropped or changed on the way in.
#[derive(Debug, Clone)]
pub struct Note {
    pub what: String,
    pub place: String,
    pub value: String,
}

/// All panels of an event; an empty one is not shown.
#[derive(Debug, Clone)]
pub struct EventView {
    pub highlights: Vec<Pair>,
    pub message: Option<Message>,
    pub stacks: Option<Stacks>,
    pub crumbs: Vec<Crumb>,
    pub request: Option<Request>,
    pub report: Option<Group>,
    pub user: Vec<Pair>,
    pub tags: Vec<Pair>,
    pub contexts: Vec<Group>,
    pub extra: Vec<Pair>,
    pub modules: Vec<Pair>,
    pub sdk: Vec<Pair>,
    pub notes: Vec<Note>,
    pub removed: Vec<Note>,
    pub why: Option<Why>,
    /// Its frames may have source maps, and processing it again may find some.
    pub may_be_mapped: bool,
}

/// Reads a stored event.
pub fn view(event: &Value, mode: StackMode) -> EventView {
    EventView {
        highlights: highlights(event),
        message: message(event),
        stacks: stack::stacks(event, mode),
        crumbs: breadcrumbs::crumbs(event),
        request: request::request(event),
        report: report(event),
        user: user(event),
        tags: pairs(event.get("tags")),
        contexts: contexts(event),
        extra: pairs(event.get("extra")),
        modules: pairs(event.get("modules")),
        sdk: sdk(event),
        notes: notes(event),
        removed: removed::removed(event),
        why: why::why(event),
        may_be_mapped: may_be_mapped(event),
    }
}

/// Whether it is an event of a script without a mapped frame, one with addresses that have no line, or one with a note about a map or a
/// debug file.
fn may_be_mapped(event: &Value) -> bool {
    let is_about_files = |note: &Value| {
        let kind = note["type"].as_str().unwrap_or_default();
        kind.starts_with("debug_file_")
    };
    let notes = value::list(event, "errors");
    if has_addresses(event) || notes.iter().any(is_about_files) {
        return true;
    }
    let is_script = matches!(event["platform"].as_str(), Some("javascript" | "node"));
    let is_about_maps = |note: &Value| {
        let kind = note["type"].as_str().unwrap_or_default();
        kind.starts_with("source_map_")
    };
    let is_mapped = || {
        value::list(&event["exception"], "values")
            .iter()
            .any(|exception| {
                let frames = value::list(&exception["stacktrace"], "frames");
                frames
                    .iter()
                    .any(|frame| frame["data"]["sourcemap"].is_string())
            })
    };
    is_script && (value::list(event, "errors").iter().any(is_about_maps) || !is_mapped())
}

/// Whether a frame has an address and no line yet.
fn has_addresses(event: &Value) -> bool {
    let exceptions = value::list(&event["exception"], "values");
    exceptions.iter().any(|exception| {
        let frames = value::list(&exception["stacktrace"], "frames");
        frames
            .iter()
            .any(|frame| frame["instruction_addr"].is_string() && frame["lineno"].is_null())
    })
}

/// Up to five facts that answer most questions.
fn highlights(event: &Value) -> Vec<Pair> {
    let null = Value::Null;
    let request = event.get("request").unwrap_or(&null);
    let user = event.get("user").unwrap_or(&null);
    let contexts = event.get("contexts").unwrap_or(&null);
    let named = |name: &str| {
        let context = contexts.get(name)?;
        let version = text(context, "version")
            .map(|version| format!(" {version}"))
            .unwrap_or_default();
        text(context, "name").map(|name| format!("{name}{version}"))
    };
    let place = text(request, "url")
        .map(|url| path_of(&url))
        .or_else(|| text(event, "transaction"));
    let who = ["email", "username", "id", "ip_address"]
        .iter()
        .find_map(|key| text(user, key));
    let facts = [
        (
            if text(request, "url").is_some() {
                "url"
            } else {
                "transaction"
            },
            place,
        ),
        ("user", who),
        ("release", text(event, "release")),
        ("environment", text(event, "environment")),
        ("browser", named("browser")),
        ("runtime", named("runtime")),
        ("system", named("os")),
        ("server", text(event, "server_name")),
    ];
    facts
        .into_iter()
        .filter_map(|(key, value)| {
            Some(Pair {
                key: key.to_owned(),
                value: value?,
            })
        })
        .take(5)
        .collect()
}

/// The security report, under the name of its kind.
fn report(event: &Value) -> Option<Group> {
    ReportKind::ALL.into_iter().find_map(|kind| {
        let pairs = pairs(event.get(kind.as_str()));
        (!pairs.is_empty()).then(|| Group {
            name: kind.name().to_owned(),
            pairs,
        })
    })
}

fn path_of(address: &str) -> String {
    match url::Url::parse(address) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url.path().to_owned(),
        _ => address.to_owned(),
    }
}

fn message(event: &Value) -> Option<Message> {
    let entry = event.get("logentry")?;
    let template = text(entry, "message");
    let shown = text(entry, "formatted").or_else(|| template.clone())?;
    let params = entry
        .get("params")
        .filter(|params| !params.is_null())
        .map(show)
        .filter(|params| params != "[]" && params != "{}");
    Some(Message {
        template: template.filter(|template| *template != shown),
        text: shown,
        params,
    })
}

fn user(event: &Value) -> Vec<Pair> {
    let mut found = Vec::new();
    for pair in pairs(event.get("user")) {
        if pair.key != "data" && pair.key != "geo" {
            found.push(pair);
        }
    }
    for nested in ["geo", "data"] {
        found.extend(pairs(event.get("user").and_then(|user| user.get(nested))));
    }
    found
}

fn contexts(event: &Value) -> Vec<Group> {
    let Some(Value::Object(contexts)) = event.get("contexts") else {
        return Vec::new();
    };
    contexts
        .iter()
        .map(|(name, context)| Group {
            name: name.clone(),
            pairs: match context {
                Value::Object(map) => pairs_without_type(map),
                Value::Null => Vec::new(),
                other => vec![Pair {
                    key: "value".to_owned(),
                    value: show(other),
                }],
            },
        })
        .filter(|group| !group.pairs.is_empty())
        .collect()
}

fn pairs_without_type(map: &serde_json::Map<String, Value>) -> Vec<Pair> {
    map.iter()
        .filter(|(key, value)| key.as_str() != "type" && !value.is_null())
        .map(|(key, value)| Pair {
            key: key.clone(),
            value: show(value),
        })
        .collect()
}

fn sdk(event: &Value) -> Vec<Pair> {
    let sdk = event.get("sdk").unwrap_or(&Value::Null);
    let names = |key: &str| {
        let items: Vec<String> = value::list(sdk, key)
            .iter()
            .map(|item| match (text(item, "name"), text(item, "version")) {
                (Some(name), Some(version)) => format!("{name} {version}"),
                (Some(name), None) => name,
                _ => show(item),
            })
            .collect();
        (!items.is_empty()).then(|| items.join(", "))
    };
    let name = match (text(sdk, "name"), text(sdk, "version")) {
        (Some(name), Some(version)) => Some(format!("{name} {version}")),
        (name, version) => name.or(version),
    };
    [
        ("name", name),
        ("packages", names("packages")),
        ("integrations", names("integrations")),
        ("features", names("features")),
    ]
    .into_iter()
    .filter_map(|(key, value)| {
        Some(Pair {
            key: key.to_owned(),
            value: value?,
        })
    })
    .collect()
}

fn notes(event: &Value) -> Vec<Note> {
    let cut = removed::shortened(event);
    value::list(event, "errors")
        .iter()
        .filter(|note| note.is_object())
        .map(|note| Note {
            what: note_sentence(&text(note, "type").unwrap_or_default()),
            place: text(note, "name").unwrap_or_default(),
            value: value::cut(
                &note
                    .get("value")
                    .filter(|value| !value.is_null())
                    .map(show)
                    .unwrap_or_default(),
                200,
            ),
        })
        .chain(cut)
        .collect()
}

/// What a note's type means, for somebody who does not know the types.
fn note_sentence(kind: &str) -> String {
    match kind {
        "invalid_data" => "dropped: not in the form the attribute needs",
        "invalid_attribute" => "dropped: not an attribute of events",
        "missing_attribute" => "missing",
        "value_too_long" => "shortened: too long",
        "past_timestamp" => "replaced: too far in the past",
        "future_timestamp" => "replaced: in the future",
        "clock_drift" => "corrected: the sender's clock was off",
        "invalid_environment" => "dropped: not a name of an environment",
        "source_map_missing" => "no source map: nothing was uploaded for this script. Upload it with its debug id or for this release",
        "source_map_wanted" => "no source map yet: it is fetched from where browsers load the script, a few scripts a minute, and the event is then processed again by itself. If this still stands here after some minutes, process it again",
        "source_map_not_fetched" => "no source map: nothing was uploaded for this script, and what is public could not be fetched. Once that is mended, or after an hour, process the event again; or upload the map",
        "source_map_broken" => "the uploaded source map is of no use; build and upload it again",
        "source_map_without_position" => "the source map does not know this place: it may belong to another build of the script",
        "source_map_without_source" => "the source map lacks sourcesContent, so there are no source lines",
        "debug_file_missing" => "no debug file: nothing was uploaded for this binary. Upload it with sentry-cli debug-files upload; for libraries of the system there is no need",
        "debug_file_broken" => "the uploaded debug file is of no use; upload the one that has the symbols",
        "minidump_broken" => "the minidump cannot be read, so there is no stack",
        "too_many_values" => "shortened: too many entries",
        other => return other.replace('_', " "),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn highlights_answer_where_who_and_what() {
        let event = json!({"request": {"url": "https://shop.example.com/checkout/total?x=1"}, "user": {"id": 1, "email": "jane@example.com"},
            "release": "shop@1.4.2", "environment": "production", "contexts": {"browser": {"name": "Firefox", "version": "145"}},
            "server_name": "app-1"});
        let facts: Vec<(String, String)> = highlights(&event)
            .into_iter()
            .map(|pair| (pair.key, pair.value))
            .collect();
        assert_eq!(facts[0], ("url".into(), "/checkout/total".into()));
        assert_eq!(facts[1], ("user".into(), "jane@example.com".into()));
        assert_eq!(facts[4], ("browser".into(), "Firefox 145".into()));
        assert_eq!(facts.len(), 5);
    }

    #[test]
    fn any_event_has_a_view() {
        for event in [
            json!({}),
            json!({"user": 1, "contexts": [], "sdk": "x", "errors": [null, {"type": "odd_thing"}], "logentry": {"params": []}}),
            json!({"contexts": {"a": null, "b": 3, "c": {"type": "c"}}, "tags": [["a", "b"]]}),
        ] {
            for mode in [StackMode::App, StackMode::All, StackMode::Raw] {
                drop(view(&event, mode));
            }
        }
    }
}
