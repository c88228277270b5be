//! One frame of a stack. In: a frame of the event. Out: where it is, the source around it with colours, its variables.

use serde_json::Value;

use super::value::{Pair, cut, list, show_line, text};
use crate::process::readable_symbol;
use crate::web::highlight::{self, Piece};

/// Lines from which on a frame's source stays without colours, in bytes.
const LONG_LINE: usize = 240;

/// One line of source around a frame.
#[derive(Debug, Clone)]
pub struct SourceLine {
    pub number: String,
    pub pieces: Vec<Piece>,
    pub here: bool,
}

impl SourceLine {
    /// The line as it stands in the file.
    pub fn text(&self) -> String {
        self.pieces
            .iter()
            .map(|piece| piece.text.as_str())
            .collect()
    }
}

/// One frame.
#[derive(Debug, Clone)]
pub struct Frame {
    platform: String,
    pub function: String,
    pub place: String,
    pub line: String,
    pub detail: String,
    pub in_app: bool,
    pub open: bool,
    pub source: Vec<SourceLine>,
    pub vars: Vec<Pair>,
}

impl Frame {
    /// Gives the source its colours: work, so only for frames that are looked at.
    pub fn colour(&mut self) {
        let texts: Vec<String> = self.source.iter().map(SourceLine::text).collect();
        // Minified code is one long line, slow to read for grammars and people alike.
        if texts.iter().any(|text| text.len() > LONG_LINE) {
            return;
        }
        let lines = highlight::lines(&self.place, &self.platform, &texts);
        for (line, pieces) in self.source.iter_mut().zip(lines) {
            line.pieces = pieces;
        }
    }

    pub fn has_body(&self) -> bool {
        !self.source.is_empty() || !self.vars.is_empty()
    }
}

/// Whether a flag is set.
pub fn is_true(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// Reads a frame.
pub fn frame_of(frame: &Value, platform: &str) -> Frame {
    let file = text(frame, "filename").or_else(|| text(frame, "abs_path"));
    let module = text(frame, "module");
    let package = text(frame, "package").map(|package| {
        package
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or_default()
            .to_owned()
    });
    let place = file
        .clone()
        .or_else(|| module.clone())
        .or_else(|| package.clone())
        .unwrap_or_default();
    let platform = text(frame, "platform").unwrap_or_else(|| platform.to_owned());
    let line = match (
        frame.get("lineno").and_then(Value::as_i64),
        frame.get("colno").and_then(Value::as_i64),
    ) {
        (Some(line), Some(column)) if column > 0 => format!("{line}:{column}"),
        (Some(line), _) => line.to_string(),
        _ => String::new(),
    };
    let detail = match (&file, &module, package, text(frame, "instruction_addr")) {
        (None, None, Some(_), Some(address)) => address,
        (Some(_), Some(module), _, _) if *module != place => module.clone(),
        _ => String::new(),
    };
    let function = text(frame, "function").or_else(|| text(frame, "symbol"));
    Frame {
        function: function.map_or_else(
            || "<unknown>".to_owned(),
            |name| readable_symbol(&name, &platform).unwrap_or(name),
        ),
        line,
        detail,
        in_app: is_true(frame, "in_app"),
        open: false,
        source: source(frame),
        vars: vars(frame),
        place,
        platform,
    }
}

fn source(frame: &Value) -> Vec<SourceLine> {
    let Some(context) = frame.get("context_line").and_then(Value::as_str) else {
        return Vec::new();
    };
    let around = |key| {
        list(frame, key)
            .iter()
            .map(|line| line.as_str().unwrap_or_default())
    };
    let here = around("pre_context").count();
    let texts: Vec<String> = around("pre_context")
        .chain(std::iter::once(context))
        .chain(around("post_context"))
        .map(|line| cut(line.trim_end(), 400))
        .collect();
    let first = frame
        .get("lineno")
        .and_then(Value::as_i64)
        .map(|number| number - here as i64);
    texts
        .into_iter()
        .enumerate()
        .map(|(at, text)| SourceLine {
            number: first
                .map(|first| (first + at as i64).to_string())
                .unwrap_or_default(),
            pieces: vec![Piece { class: "", text }],
            here: at == here,
        })
        .collect()
}

fn vars(frame: &Value) -> Vec<Pair> {
    match frame.get("vars") {
        Some(Value::Object(map)) => map
            .iter()
            .map(|(key, value)| Pair {
                key: key.clone(),
                value: cut(&show_line(value), 600),
            })
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn symbols_are_readable_where_they_can_be() {
        for (function, platform, shown) in [
            ("_ZN4shop6Basket5totalEv", "native", "shop::Basket::total"),
            ("_RNvCs1234_7mycrate3foo", "rust", "mycrate::foo"),
            ("_Zt", "javascript", "_Zt"),
            ("main", "native", "main"),
        ] {
            let frame = frame_of(&json!({"function": function}), platform);
            assert_eq!(frame.function, shown);
        }
    }
}
