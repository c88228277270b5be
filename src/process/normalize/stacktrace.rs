//! Stack traces: frames in the order of the SDK, oldest caller first.
//! In: `{"frames": […]}` as JSON. Out: a bounded [`Stacktrace`] whose frames have paths and an in-app mark.

use std::borrow::Cow;

use crate::process::event::{Frame, Stacktrace};
use crate::protocol::json::{Json, Object, Text};

use super::in_app;
use super::limits;
use super::reader::{Reader, any_text, cut};

/// Reads a stack trace; one without frames and registers is none.
pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    platform: &str,
    value: Json<'a>,
) -> Option<Stacktrace<'a>> {
    let mut object = reader.object("stacktrace", value)?;
    let mut stack = Stacktrace {
        frames_omitted: object.remove("frames_omitted").and_then(omitted_range),
        ..Stacktrace::default()
    };
    let mut frames = object
        .remove("frames")
        .map(|frames| reader.values("stacktrace.frames", frames))
        .unwrap_or_default();
    if let Some(range) = leave_out_middle(&mut frames) {
        stack.frames_omitted = Some(range);
    }
    stack.frames = frames
        .into_iter()
        .filter_map(|frame| read_frame(reader, platform, frame))
        .collect();
    drop_source_of_the_middle(&mut stack.frames);
    if let Some(registers) = object.remove("registers") {
        stack.registers = reader
            .object("stacktrace.registers", registers)
            .unwrap_or_default();
    }
    (!stack.frames.is_empty() || !stack.registers.is_empty()).then_some(stack)
}

fn omitted_range(value: Json<'_>) -> Option<[i64; 2]> {
    match value {
        Json::List(items) => match items[..] {
            [Json::I64(from), Json::I64(to)] => Some([from, to]),
            _ => None,
        },
        _ => None,
    }
}

/// Both ends of a long stack tell something: the newest where it failed, the oldest how it began.
fn leave_out_middle(frames: &mut Vec<Json<'_>>) -> Option<[i64; 2]> {
    const HALF: usize = limits::FRAMES / 2;
    let count = frames.len();
    if count <= limits::FRAMES {
        return None;
    }
    frames.drain(HALF..count - HALF);
    Some([HALF as i64, (count - HALF) as i64])
}

/// Of a stack with many frames only some keep variables and source: the app's first, then both ends.
fn drop_source_of_the_middle(frames: &mut [Frame<'_>]) {
    if frames.len() <= limits::FRAMES_WITH_SOURCE {
        return;
    }
    let in_app = frames.iter().filter(|frame| frame.is_in_app()).count();
    let for_app = in_app.min(limits::FRAMES_WITH_SOURCE);
    thin_out(frames, true, in_app, for_app);
    let system = frames.len() - in_app;
    thin_out(frames, false, system, limits::FRAMES_WITH_SOURCE - for_app);
}

/// Keeps the source of the outer `keep` of the `count` frames that are (or are not) in-app.
fn thin_out(frames: &mut [Frame<'_>], in_app: bool, count: usize, keep: usize) {
    let older = keep / 2;
    let newer = keep - older;
    let of_kind = frames
        .iter_mut()
        .filter(|frame| frame.is_in_app() == in_app);
    for (at, frame) in of_kind.enumerate() {
        if at >= older && at + newer < count {
            frame.vars = Object::default();
            frame.pre_context = Vec::new();
            frame.context_line = None;
            frame.post_context = Vec::new();
        }
    }
}

fn read_frame<'a>(reader: &mut Reader<'a>, platform: &str, value: Json<'a>) -> Option<Frame<'a>> {
    let object = reader.object("frame", value)?;
    let mut frame = Frame::default();
    let mut empty = true;
    for (key, value) in object.0 {
        if value.is_null() {
            continue;
        }
        empty &= !read_attribute(reader, &mut frame, &key, value);
    }
    if empty {
        return None;
    }
    complete_paths(&mut frame);
    frame.in_app = Some(in_app::decide(&frame, platform));
    Some(frame)
}

/// Reads one attribute; says whether it told something about where the frame is.
fn read_attribute<'a>(
    reader: &mut Reader<'a>,
    frame: &mut Frame<'a>,
    key: &str,
    value: Json<'a>,
) -> bool {
    use limits::{PATH, SHORT_NAME, SYMBOL};
    match key {
        "function" => {
            frame.function = reader.short_text("frame.function", value, SYMBOL);
            frame.function.is_some()
        }
        "raw_function" => {
            frame.raw_function = reader.short_text("frame.raw_function", value, SYMBOL);
            frame.raw_function.is_some()
        }
        "module" => {
            frame.module = reader.short_text("frame.module", value, SYMBOL);
            frame.module.is_some()
        }
        "filename" => {
            frame.filename = reader.short_text("frame.filename", value, PATH);
            frame.filename.is_some()
        }
        "abs_path" => {
            frame.abs_path = reader.short_text("frame.abs_path", value, PATH);
            frame.abs_path.is_some()
        }
        "package" => {
            frame.package = reader.short_text("frame.package", value, PATH);
            frame.package.is_some()
        }
        "platform" => {
            frame.platform = reader.short_text("frame.platform", value, SHORT_NAME);
            false
        }
        "lineno" => {
            frame.lineno = reader.natural("frame.lineno", value);
            frame.lineno.is_some()
        }
        "colno" => {
            frame.colno = reader.natural("frame.colno", value);
            false
        }
        "context_line" => {
            frame.context_line = any_text(value).map(source_line);
            frame.context_line.is_some()
        }
        "pre_context" => {
            let mut lines = source_lines(reader, "frame.pre_context", value);
            lines.drain(..lines.len().saturating_sub(limits::SOURCE_LINES));
            frame.pre_context = lines;
            false
        }
        "post_context" => {
            frame.post_context = source_lines(reader, "frame.post_context", value);
            frame.post_context.truncate(limits::SOURCE_LINES);
            false
        }
        "vars" => {
            frame.vars = variables(reader, value);
            false
        }
        "in_app" => {
            frame.in_app = reader.boolean("frame.in_app", value);
            false
        }
        "instruction_addr" => {
            frame.instruction_addr = address(reader, "frame.instruction_addr", value);
            frame.instruction_addr.is_some()
        }
        "symbol_addr" => {
            frame.symbol_addr = address(reader, "frame.symbol_addr", value);
            frame.symbol_addr.is_some()
        }
        "image_addr" => {
            frame.image_addr = address(reader, "frame.image_addr", value);
            false
        }
        "addr_mode" => {
            frame.addr_mode = reader.short_text("frame.addr_mode", value, SHORT_NAME);
            false
        }
        "stack_start" => {
            frame.stack_start = reader.boolean("frame.stack_start", value);
            false
        }
        "lock" => {
            frame.lock = reader.object("frame.lock", value).unwrap_or_default();
            false
        }
        _ => false,
    }
}

fn source_line(line: Text<'_>) -> Text<'_> {
    let line = match line {
        Cow::Borrowed(line) => Cow::Borrowed(line.trim_end_matches(['\r', '\n'])),
        Cow::Owned(mut line) => {
            line.truncate(line.trim_end_matches(['\r', '\n']).len());
            Cow::Owned(line)
        }
    };
    cut(line, limits::SOURCE_LINE)
}

fn source_lines<'a>(reader: &mut Reader<'a>, name: &'static str, value: Json<'a>) -> Vec<Text<'a>> {
    match value {
        Json::List(lines) => lines
            .into_iter()
            .map(|line| any_text(line).map(source_line).unwrap_or_default())
            .collect(),
        other => reader.refuse(name, other).unwrap_or_default(),
    }
}

/// Variables by name; a list gets its indexes as names.
fn variables<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Object<'a> {
    match value {
        Json::Object(vars) => vars,
        Json::List(items) => Object(
            items
                .into_iter()
                .enumerate()
                .map(|(at, item)| (Cow::Owned(at.to_string()), item))
                .collect(),
        ),
        other => reader.refuse("frame.vars", other).unwrap_or_default(),
    }
}

/// An address as `0x…`, from that or from a number.
fn address<'a>(reader: &mut Reader<'a>, name: &'static str, value: Json<'a>) -> Option<Text<'a>> {
    let number = match &value {
        Json::I64(number) => u64::try_from(*number).ok(),
        Json::U64(number) => Some(*number),
        Json::Str(text) => match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) if u64::from_str_radix(digits, 16).is_ok() && !digits.starts_with('+') => {
                return reader.text(name, value);
            }
            Some(_) => None,
            None => text.parse().ok(),
        },
        _ => None,
    };
    match number {
        Some(number) => Some(Cow::Owned(format!("{number:#x}"))),
        None => reader.refuse(name, value),
    }
}

/// A missing absolute path is the file name; the file name of a URL is its path.
fn complete_paths(frame: &mut Frame<'_>) {
    if frame.abs_path.is_none() {
        frame.abs_path.clone_from(&frame.filename);
    }
    let Some(abs_path) = &frame.abs_path else {
        return;
    };
    if frame
        .filename
        .as_ref()
        .is_some_and(|filename| filename != abs_path)
    {
        return;
    }
    frame.filename = match url_path(abs_path) {
        Some(_) => match abs_path {
            Cow::Borrowed(url) => url_path(url).map(Cow::Borrowed),
            Cow::Owned(url) => url_path(url).map(|path| Cow::Owned(path.to_owned())),
        },
        None => frame.filename.take(),
    };
}

/// The path of a web address, without query and fragment.
fn url_path(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    if !matches!(
        scheme,
        "http" | "https" | "applewebdata" | "app" | "blob:http" | "blob:https"
    ) {
        return None;
    }
    let path = &rest[rest.find('/')?..];
    Some(&path[..path.find(['?', '#']).unwrap_or(path.len())])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::json::parse;

    fn stack(json: &str) -> Option<Stacktrace<'_>> {
        let mut reader = Reader::default();
        read(&mut reader, "python", parse(json.as_bytes()).expect("JSON"))
    }

    #[test]
    fn wrong_attributes_go_and_the_frame_stays() {
        let stack = stack(
            r#"{"frames":[null,{},{"lineno":"x","colno":-1,"function":5,"filename":"a.py"},
                {"filename":"b.py","function":"ok","vars":["list"],"instruction_addr":"0xZZ","lineno":"3","symbol_addr":255}]}"#,
        )
        .expect("a stack");
        let [first, second] = &stack.frames[..] else {
            panic!("two frames");
        };
        assert_eq!(
            (first.lineno, first.colno, &first.function),
            (None, None, &None)
        );
        assert_eq!(first.abs_path.as_deref(), Some("a.py"));
        assert_eq!(second.lineno, Some(3));
        assert_eq!(second.vars.get_str("0"), Some("list"));
        assert_eq!(second.symbol_addr.as_deref(), Some("0xff"));
        assert_eq!(second.instruction_addr, None);
    }

    #[test]
    fn addresses_of_scripts_become_paths() {
        let stack = stack(
            r#"{"frames":[{"filename":"http://shop.example.com/static/app.js?v=1","lineno":1},
                {"abs_path":"app:///main.js"},{"filename":"x.js","abs_path":"https://a.example/y.js"}]}"#,
        )
        .expect("a stack");
        let files: Vec<_> = stack.frames.iter().map(Frame::file).collect();
        assert_eq!(
            files,
            [Some("/static/app.js"), Some("/main.js"), Some("x.js")]
        );
    }

    #[test]
    fn long_stacks_keep_both_ends() {
        let frames: Vec<String> = (0..1500)
            .map(|at| {
                format!(
                    r#"{{"function":"f{at}","context_line":"x","in_app":{}}}"#,
                    at >= 1490
                )
            })
            .collect();
        let json = format!(r#"{{"frames":[{}]}}"#, frames.join(","));
        let stack = stack(&json).expect("a stack");
        assert_eq!(stack.frames.len(), 250);
        assert_eq!(stack.frames_omitted, Some([125, 1375]));
        assert_eq!(stack.frames[249].function.as_deref(), Some("f1499"));
        let with_source = stack
            .frames
            .iter()
            .filter(|frame| frame.context_line.is_some());
        assert_eq!(with_source.count(), 50);
        assert!(
            stack.frames[240..]
                .iter()
                .all(|frame| frame.context_line.is_some())
        );
    }
}
