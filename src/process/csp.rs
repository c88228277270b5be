//! Reports of content security policy violations inside an event.
//! In: the `csp` attribute. Out: what was blocked, by which directive, and a sentence that says so.

use std::borrow::Cow;

use crate::protocol::json::Object;

/// What identifies a violation.
pub(super) struct Violation<'e> {
    pub directive: &'e str,
    /// The whole directive of the policy.
    pub violated: &'e str,
    blocked_uri: &'e str,
    document_uri: &'e str,
}

impl<'e> Violation<'e> {
    /// Nothing if no directive is named.
    pub fn of(csp: &'e Object<'_>) -> Option<Self> {
        let text = |name: &str, hyphenated: &str| {
            csp.get_str(name)
                .or_else(|| csp.get_str(hyphenated))
                .map(str::trim)
                .filter(|text| !text.is_empty())
        };
        let violated = text("violated_directive", "violated-directive");
        let directive = text("effective_directive", "effective-directive")
            .or_else(|| violated.and_then(|text| text.split_whitespace().next()))?;
        Some(Self {
            directive,
            violated: violated.unwrap_or(directive),
            blocked_uri: text("blocked_uri", "blocked-uri").unwrap_or("self"),
            document_uri: text("document_uri", "document-uri").unwrap_or_default(),
        })
    }

    fn is_local(&self) -> bool {
        matches!(self.blocked_uri, "self" | "'self'" | "inline" | "eval")
    }

    /// The host, or the scheme of what has none (`data:`), or `'self'`.
    pub fn blocked_host(&self) -> Cow<'e, str> {
        if self.is_local() {
            return Cow::Borrowed("'self'");
        }
        match self.blocked_uri.split_once("://") {
            Some(("http" | "https" | "ws" | "wss", rest)) => {
                Cow::Borrowed(rest.split(['/', '?', '#']).next().unwrap_or(rest))
            }
            Some((scheme, _)) => Cow::Owned(format!("{scheme}:")),
            None => match self.blocked_uri.split_once(':') {
                Some((scheme, _)) => Cow::Owned(format!("{scheme}:")),
                None => Cow::Borrowed(self.blocked_uri),
            },
        }
    }

    /// What counts for grouping: for scripts of the own page how they were unsafe says more than where they are.
    pub fn blocked_source(&self) -> Cow<'e, str> {
        if self.is_local() && self.directive.starts_with("script-src") {
            for unsafe_source in ["unsafe-inline", "unsafe-eval"] {
                if self.violated.contains(unsafe_source) {
                    return Cow::Borrowed(unsafe_source);
                }
            }
        }
        self.blocked_host()
    }

    /// One sentence for the title.
    pub fn message(&self) -> String {
        let resource = match self.directive {
            "child-src" => "child",
            "connect-src" => "connect",
            "font-src" => "font",
            "img-src" => "image",
            "manifest-src" => "manifest",
            "media-src" => "media",
            "object-src" => "object",
            "script-src" | "script-src-elem" | "script-src-attr" => "script",
            "style-src" | "style-src-elem" | "style-src-attr" => "style",
            "form-action" => "form",
            other => other,
        };
        if self.is_local() {
            return match resource {
                "script" => "Blocked unsafe (eval() or inline) 'script'".to_owned(),
                _ => format!("Blocked inline '{resource}'"),
            };
        }
        let host = self.blocked_host();
        match resource {
            "form" => format!("Blocked 'form' action to '{host}'"),
            _ => format!("Blocked '{resource}' from '{host}'"),
        }
    }

    /// The violated directive, with the own host as `'self'`.
    pub fn culprit(&self) -> String {
        let own = self
            .document_uri
            .split_once("://")
            .map(|(scheme, rest)| (scheme, rest.split(['/', '?', '#']).next().unwrap_or(rest)));
        let words = self.violated.split_whitespace().map(|word| match own {
            Some((scheme, host)) if !host.is_empty() => {
                let bare = word
                    .strip_prefix(scheme)
                    .and_then(|rest| rest.strip_prefix("://"));
                if bare.unwrap_or(word) == host {
                    "'self'"
                } else {
                    word
                }
            }
            _ => word,
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::json::{Json, parse};

    #[test]
    fn violations_are_told_in_a_sentence() {
        for (json, message, culprit, host) in [
            (
                r#"{"effective_directive":"font-src","violated_directive":"font-src 'self'","blocked_uri":"https://type.example.com/a.woff2"}"#,
                "Blocked 'font' from 'type.example.com'",
                "font-src 'self'",
                "type.example.com",
            ),
            (
                r#"{"violated-directive":"img-src https://shop.example.com https://cdn.example.com","blocked-uri":"data","document-uri":"https://shop.example.com/a"}"#,
                "Blocked 'image' from 'data'",
                "img-src 'self' https://cdn.example.com",
                "data",
            ),
            (
                r#"{"effective_directive":"script-src","blocked_uri":"self","violated_directive":"script-src 'unsafe-inline'"}"#,
                "Blocked unsafe (eval() or inline) 'script'",
                "script-src 'unsafe-inline'",
                "'self'",
            ),
            (
                r#"{"effective_directive":"form-action","blocked_uri":"https://a.example"}"#,
                "Blocked 'form' action to 'a.example'",
                "form-action",
                "a.example",
            ),
        ] {
            let Ok(Json::Object(csp)) = parse(json.as_bytes()) else {
                panic!("an object");
            };
            let violation = Violation::of(&csp).expect("a violation");
            assert_eq!(violation.message(), message);
            assert_eq!(violation.culprit(), culprit);
            assert_eq!(violation.blocked_host(), host);
        }
        assert!(Violation::of(&Object::default()).is_none());
    }
}
