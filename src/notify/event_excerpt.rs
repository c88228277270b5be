//! The few lines of an event that a mail shows: where in the application's own code it happened.
//! In: the stored, normalised payload. Out: up to five frames, newest first, each with its source line.

use serde_json::Value;

use super::one_line::one_line;

const SHOWN_FRAMES: usize = 5;
const LONGEST_PLACE: usize = 120;
const LONGEST_SOURCE: usize = 160;

/// One frame as a mail shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// `shop/pricing.py:88`, or the module where there is no file.
    pub place: String,
    pub function: String,
    pub source: Option<String>,
}

/// The newest in-app frames, or the newest of all where none is the application's own.
pub fn frames(payload: &Value) -> Vec<Frame> {
    let Some(all) = stack(payload) else {
        return Vec::new();
    };
    let own = |frame: &&Value| frame["in_app"].as_bool() == Some(true);
    let mut shown: Vec<Frame> = all
        .iter()
        .rev()
        .filter(own)
        .take(SHOWN_FRAMES)
        .map(frame)
        .collect();
    if shown.is_empty() {
        shown.extend(all.iter().rev().take(SHOWN_FRAMES).map(frame));
    }
    shown
}

/// The stack of the outermost exception that has one, else of the crashed or current thread.
fn stack(payload: &Value) -> Option<&Vec<Value>> {
    let frames = |of: &'_ Value| -> bool {
        of["stacktrace"]["frames"]
            .as_array()
            .is_some_and(|frames| !frames.is_empty())
    };
    let exceptions = payload["exception"]["values"].as_array();
    let threads = payload["threads"]["values"].as_array();
    let exception = exceptions.and_then(|values| values.iter().rev().find(|value| frames(value)));
    let thread = || {
        let values = threads?;
        let marked = |name: &'static str| {
            values
                .iter()
                .find(move |value| value[name].as_bool() == Some(true) && frames(value))
        };
        marked("crashed").or_else(|| marked("current"))
    };
    exception.or_else(thread)?["stacktrace"]["frames"].as_array()
}

fn frame(frame: &Value) -> Frame {
    let text = |name: &str| frame[name].as_str().filter(|text| !text.is_empty());
    let file = text("filename").or_else(|| text("abs_path"));
    let line = frame["lineno"].as_u64();
    let place = match (file.or_else(|| text("module")), line) {
        (Some(place), Some(line)) => format!("{place}:{line}"),
        (Some(place), None) => place.to_owned(),
        (None, _) => "<unknown>".to_owned(),
    };
    Frame {
        place: one_line(&place, LONGEST_PLACE),
        function: one_line(text("function").unwrap_or(""), LONGEST_PLACE),
        source: text("context_line")
            .map(|source| one_line(source, LONGEST_SOURCE))
            .filter(|source| !source.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn own_frames_come_newest_first() {
        let payload = json!({"exception": {"values": [
            {"type": "Cause", "stacktrace": {"frames": [{"filename": "cause.py", "in_app": true}]}},
            {"type": "KeyError", "stacktrace": {"frames": [
                {"filename": "main.py", "lineno": 3, "function": "main", "in_app": true},
                {"filename": "lib/http.py", "lineno": 9, "function": "call", "in_app": false},
                {"filename": "cart.py", "lineno": 88, "function": "total", "context_line": "    total += item[\"price\"]\n", "in_app": true}
            ]}}
        ]}});
        let shown = frames(&payload);
        assert_eq!(shown.len(), 2);
        assert_eq!(shown[0].place, "cart.py:88");
        assert_eq!(shown[0].function, "total");
        assert_eq!(shown[0].source.as_deref(), Some("total += item[\"price\"]"));
        assert_eq!(shown[1].place, "main.py:3");
    }

    #[test]
    fn without_own_frames_the_newest_are_shown() {
        let frame = |at: u32| json!({"module": format!("lib{at}"), "in_app": false});
        let payload = json!({"threads": {"values": [
            {"id": 1, "stacktrace": {"frames": [frame(0)]}},
            {"id": 2, "crashed": true, "stacktrace": {"frames": (1..9).map(frame).collect::<Vec<_>>()}}
        ]}});
        let places: Vec<String> = frames(&payload)
            .into_iter()
            .map(|frame| frame.place)
            .collect();
        assert_eq!(places, ["lib8", "lib7", "lib6", "lib5", "lib4"]);
    }

    #[test]
    fn any_payload_is_survived() {
        for payload in [
            json!(null),
            json!([]),
            json!({"exception": "text"}),
            json!({"exception": {"values": [null, {"stacktrace": {"frames": [null, 3]}}]}}),
        ] {
            for frame in frames(&payload) {
                assert_eq!(frame.place, "<unknown>");
            }
        }
    }
}
