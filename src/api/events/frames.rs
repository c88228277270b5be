//! Stack traces as clients read them. In: a stored stack trace, oldest frame first. Out: the same in `camelCase`, the source
//! lines of a frame numbered.

use serde_json::{Value, json};

pub fn stacktrace(stack: &Value) -> Value {
    let frames = stack["frames"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let has_system_frames = frames.iter().any(|frame| frame["in_app"] != true)
        && frames.iter().any(|frame| frame["in_app"] == true);
    json!({
        "frames": frames.iter().map(frame).collect::<Vec<_>>(),
        "framesOmitted": stack["frames_omitted"],
        "registers": stack["registers"],
        "hasSystemFrames": has_system_frames,
    })
}

fn frame(frame: &Value) -> Value {
    json!({
        "filename": frame["filename"],
        "absPath": frame["abs_path"],
        "module": frame["module"],
        "package": frame["package"],
        "platform": frame["platform"],
        "function": frame["function"],
        "rawFunction": frame["raw_function"],
        "lineNo": frame["lineno"],
        "colNo": frame["colno"],
        "inApp": frame["in_app"] == true,
        "context": context(frame),
        "vars": frame["vars"],
        "instructionAddr": frame["instruction_addr"],
        "symbolAddr": frame["symbol_addr"],
        "lock": frame["lock"],
        "symbol": null,
        "trust": null,
        "errors": null,
    })
}

/// `[[line, "text"]]`; empty where the frame has no line.
fn context(frame: &Value) -> Value {
    let (Some(line), Some(text)) = (frame["lineno"].as_i64(), frame["context_line"].as_str())
    else {
        return json!([]);
    };
    let lines = |name: &str| frame[name].as_array().cloned().unwrap_or_default();
    let before = lines("pre_context");
    let first = line - before.len() as i64;
    let all = before
        .into_iter()
        .chain([Value::from(text)])
        .chain(lines("post_context"));
    all.enumerate()
        .map(|(at, text)| json!([first + at as i64, text]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_lines_are_numbered() {
        let shown = stacktrace(&json!({"frames": [
            {"function": "main", "in_app": false},
            {"function": "total", "lineno": 7, "in_app": true, "pre_context": ["a", "b"], "context_line": "c", "post_context": ["d"]},
        ]}));
        assert_eq!(shown["frames"][0]["context"], json!([]));
        assert_eq!(
            shown["frames"][1]["context"],
            json!([[5, "a"], [6, "b"], [7, "c"], [8, "d"]])
        );
        assert_eq!(shown["hasSystemFrames"], true);
    }
}
