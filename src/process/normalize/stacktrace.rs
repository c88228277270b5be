//! Stack traces: frames in the order of the SDK, oldest caller first.
//! In: `{"frames": […]}` as JSON. Out: a bounded [`Stacktrace`] whose frames have paths.

use crate::process::event::{Frame, Stacktrace};
use crate::protocol::json::{Json, Object};

use super::frame;
use super::limits;
use super::reader::Reader;

/// Reads a stack trace; one without frames and registers is none.
pub(super) fn read<'a>(reader: &mut Reader<'a>, value: Json<'a>) -> Option<Stacktrace<'a>> {
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
        .filter_map(|value| frame::read(reader, value))
        .collect();
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
pub(super) fn drop_source_of_the_middle(frames: &mut [Frame<'_>]) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::json::parse;

    fn stack(json: &str) -> Option<Stacktrace<'_>> {
        let mut reader = Reader::default();
        read(&mut reader, parse(json.as_bytes()).expect("JSON"))
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
        let mut stack = stack(&json).expect("a stack");
        drop_source_of_the_middle(&mut stack.frames);
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
