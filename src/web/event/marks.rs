//! Marks of scrubbing, made visible as such. In: a text of an event. Out: the same as HTML, with each mark set apart.

#![allow(
    clippy::inline_always,
    clippy::unused_self,
    reason = "the code that the attribute of filters writes has both"
)]

use std::fmt::Display;

use askama::filters::{Escaper as _, Html, Safe};

/// What scrubbing leaves in place of a secret.
const MARKS: [&str; 6] = [
    "[Filtered]",
    "[creditcard]",
    "[iban]",
    "[us-ssn]",
    "[bearer]",
    "[email]",
];

/// `{{ text|marked }}`
#[askama::filter_fn]
pub fn marked(text: impl Display, _: &dyn askama::Values) -> askama::Result<Safe<String>> {
    let text = text.to_string();
    let mut html = String::with_capacity(text.len() + 16);
    let mut rest = text.as_str();
    while let Some((at, mark)) = next_mark(rest) {
        Html.write_escaped_str(&mut html, &rest[..at])?;
        html.push_str("<span class=\"scrubbed\" title=\"Taken out before it was stored\">");
        html.push_str(mark.trim_matches(['[', ']']));
        html.push_str("</span>");
        rest = &rest[at + mark.len()..];
    }
    Html.write_escaped_str(&mut html, rest)?;
    Ok(Safe(html))
}

fn next_mark(text: &str) -> Option<(usize, &'static str)> {
    text.match_indices('[').find_map(|(at, _)| {
        let mark = MARKS.iter().find(|mark| text[at..].starts_with(**mark))?;
        Some((at, *mark))
    })
}

#[cfg(test)]
mod tests {
    use askama::Template;

    use super::super::marks as filters;

    #[derive(Template)]
    #[template(source = "{{ text|marked }}", ext = "html")]
    struct Marked<'a> {
        text: &'a str,
    }

    #[test]
    fn marks_are_set_apart_and_all_else_is_escaped() {
        let html = Marked {
            text: "<a> [Filtered]&[x] [email]",
        };
        let html = html.render().expect("HTML");
        assert!(
            html.starts_with("&#60;a&#62; <span class=\"scrubbed\""),
            "{html}"
        );
        assert!(html.contains(">Filtered</span>&#38;[x] <span"), "{html}");
        assert!(html.ends_with(">email</span>"), "{html}");
    }
}
