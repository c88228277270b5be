//! An event as Markdown, for a ticket or an assistant. In: the title and the event. Out: text with the stack's
//! application frames and the facts that matter.

use std::fmt::Write as _;

use super::EventView;
use super::frame::Frame;
use super::stack::Part;

/// Writes the event down; `title` and `link` say which issue it belongs to.
pub fn markdown(title: &str, short_id: &str, link: &str, event: &EventView) -> String {
    let mut text = format!("# {title}\n\n{short_id}: <{link}>\n");
    for pair in &event.highlights {
        write!(text, "\n- {}: {}", pair.key, one_line(&pair.value)).expect("writing to a string");
    }
    if let Some(message) = &event.message {
        write!(text, "\n\n## Message\n\n{}", indent(&message.text)).expect("writing to a string");
    }
    if let Some(stacks) = &event.stacks {
        for stack in &stacks.items {
            write!(text, "\n\n## {}: {}\n", stack.kind, one_line(&stack.value))
                .expect("writing to a string");
            for part in &stack.parts {
                match part {
                    Part::Frame(frame) => write_frame(&mut text, frame),
                    Part::Folded { label, .. } => {
                        write!(text, "\n- _{label}_").expect("writing to a string");
                    }
                }
            }
        }
    }
    text.push('\n');
    text
}

fn write_frame(text: &mut String, frame: &Frame) {
    write!(
        text,
        "\n- `{}` in `{}` line {}",
        frame.function, frame.place, frame.line
    )
    .expect("writing to a string");
    if frame.in_app && !frame.source.is_empty() {
        text.push_str("\n\n");
        for line in &frame.source {
            let mark = if line.here { ">" } else { " " };
            let code = line.text();
            writeln!(text, "      {mark} {} {code}", line.number).expect("writing to a string");
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn indent(text: &str) -> String {
    text.lines()
        .map(|line| format!("    {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::{stack::StackMode, view};
    use super::*;
    use serde_json::json;

    #[test]
    fn title_stack_and_facts_are_there() {
        let event = json!({"release": "shop@1.4.2", "exception": {"values": [{"type": "KeyError", "value": "'price'",
            "stacktrace": {"frames": [{"function": "total", "filename": "cart.py", "lineno": 88, "in_app": true, "context_line": "x"}]}}]}});
        let text = markdown(
            "KeyError: 'price'",
            "SHOP-4F",
            "http://localhost/x",
            &view(&event, StackMode::App),
        );
        assert!(
            text.starts_with(
                "# KeyError: 'price'\n\nSHOP-4F: <http://localhost/x>\n\n- release: shop@1.4.2"
            ),
            "{text}"
        );
        assert!(
            text.contains("- `total` in `cart.py` line 88\n\n      > 88 x\n"),
            "{text}"
        );
    }
}
