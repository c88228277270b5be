//! Reports of content security policy violations inside an event.
//! In: a report. Out: what was blocked, by which directive, and a sentence that says so.

use std::borrow::Cow;

use crate::model::event::ReportKind;

use super::event::Report;

/// What identifies a violation.
pub(super) struct Violation<'e> {
    pub directive: &'e str,
    /// The whole directive of the policy.
    pub violated: &'e str,
    /// As reported; `self` where nothing was.
    pub blocked_uri: &'e str,
    document_uri: &'e str,
}

impl<'e> Violation<'e> {
    /// Nothing if the report is of another kind, or if it names no directive.
    pub fn of(report: &'e Report<'_>) -> Option<Self> {
        if report.kind != ReportKind::Csp {
            return None;
        }
        let text = |name: &str| report.fields.get_str(name);
        let violated = text("violated_directive");
        let directive = text("effective_directive")
            .or_else(|| violated.and_then(|text| text.split_whitespace().next()))?;
        Some(Self {
            directive,
            violated: violated.unwrap_or(directive),
            blocked_uri: text("blocked_uri").unwrap_or("self"),
            document_uri: text("document_uri").unwrap_or_default(),
        })
    }

    fn is_own(&self) -> bool {
        matches!(self.blocked_uri, "self" | "'self'")
    }

    /// Written into the page, whatever the browser's generation calls it.
    fn is_local(&self) -> bool {
        self.is_own() || matches!(self.blocked_uri, "inline" | "eval")
    }

    /// The host, or the scheme of what has none (`data:`), or `'self'`.
    pub fn blocked_host(&self) -> Cow<'e, str> {
        if self.is_own() {
            return Cow::Borrowed("'self'");
        }
        if let Some(authority) = self.blocked_authority() {
            return Cow::Borrowed(authority);
        }
        // Many browsers report nothing but the scheme, some with a colon.
        let scheme = self.blocked_uri.split(':').next().unwrap_or_default();
        Cow::Owned(format!("{scheme}:"))
    }

    fn blocked_authority(&self) -> Option<&'e str> {
        match self.blocked_uri.split_once("://") {
            Some(("http" | "https" | "ws" | "wss", rest)) => rest.split(['/', '?', '#']).next(),
            _ => None,
        }
    }

    /// The host without its port, where there is one.
    pub fn blocked_hostname(&self) -> Option<&'e str> {
        let authority = self.blocked_authority()?;
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        };
        (!host.is_empty()).then_some(host)
    }

    /// What counts for grouping: for scripts of the own page how they were unsafe says more than where they are.
    pub fn blocked_source(&self) -> Cow<'e, str> {
        if self.directive.starts_with("script-src")
            && let Some(unsafe_source) = self.unsafe_source()
        {
            return Cow::Borrowed(unsafe_source);
        }
        if self.is_local() {
            return Cow::Borrowed("'self'");
        }
        self.blocked_host()
    }

    /// How what is written into the page was unsafe: browsers of today say it in place of the address, older ones name the
    /// source that the policy lacks.
    fn unsafe_source(&self) -> Option<&'static str> {
        match self.blocked_uri {
            "inline" => return Some("unsafe-inline"),
            "eval" => return Some("unsafe-eval"),
            _ if !self.is_own() => return None,
            _ => {}
        }
        ["unsafe-inline", "unsafe-eval"]
            .into_iter()
            .find(|unsafe_source| self.violated.contains(unsafe_source))
    }

    /// One sentence for the title.
    pub fn message(&self) -> String {
        let (from, inline) = match self.directive {
            "child-src" => ("'child' from", "inline 'child'"),
            "connect-src" => ("'connect' from", "inline 'connect'"),
            "font-src" => ("'font' from", "inline 'font'"),
            "form-action" => ("'form' action to", "inline 'form' action"),
            "img-src" => ("'image' from", "inline 'image'"),
            "manifest-src" => ("'manifest' from", "inline 'manifest'"),
            "media-src" => ("'media' from", "inline 'media'"),
            "object-src" => ("'object' from", "inline 'object'"),
            "script-src" => ("'script' from", self.unsafe_script()),
            "script-src-elem" => ("'script' from", "unsafe 'script' element"),
            "script-src-attr" => ("script attribute from", "inline script attribute"),
            "style-src" => ("'style' from", "inline 'style'"),
            "style-src-elem" => ("'style' from", "'style' or 'link' element"),
            "style-src-attr" => ("style attribute from", "style attribute"),
            other if self.is_own() => return format!("Blocked inline '{other}'"),
            other => return format!("Blocked '{other}' from '{}'", self.blocked_host()),
        };
        if self.is_own() {
            format!("Blocked {inline}")
        } else {
            format!("Blocked {from} '{}'", self.blocked_host())
        }
    }

    fn unsafe_script(&self) -> &'static str {
        match self.unsafe_source() {
            Some("unsafe-inline") => "unsafe inline 'script'",
            Some(_) => "unsafe eval() 'script'",
            None => "unsafe (eval() or inline) 'script'",
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
    use crate::protocol::json::{Json, Object, parse};

    fn csp(fields: Object<'_>) -> Report<'_> {
        Report {
            kind: ReportKind::Csp,
            fields,
        }
    }

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
                r#"{"violated_directive":"img-src https://shop.example.com https://cdn.example.com","blocked_uri":"data","document_uri":"https://shop.example.com/a"}"#,
                "Blocked 'image' from 'data:'",
                "img-src 'self' https://cdn.example.com",
                "data:",
            ),
            (
                r#"{"effective_directive":"script-src","blocked_uri":"self","violated_directive":"script-src 'unsafe-inline'"}"#,
                "Blocked unsafe inline 'script'",
                "script-src 'unsafe-inline'",
                "'self'",
            ),
            (
                r#"{"effective_directive":"style-src-attr","blocked_uri":"inline"}"#,
                "Blocked style attribute from 'inline:'",
                "style-src-attr",
                "inline:",
            ),
            (
                r#"{"effective_directive":"form-action","blocked_uri":"https://a.example"}"#,
                "Blocked 'form' action to 'a.example'",
                "form-action",
                "a.example",
            ),
            (
                r#"{"effective_directive":"worker-src"}"#,
                "Blocked inline 'worker-src'",
                "worker-src",
                "'self'",
            ),
        ] {
            let Ok(Json::Object(fields)) = parse(json.as_bytes()) else {
                panic!("an object");
            };
            let report = csp(fields);
            let violation = Violation::of(&report).expect("a violation");
            assert_eq!(violation.message(), message);
            assert_eq!(violation.culprit(), culprit);
            assert_eq!(violation.blocked_host(), host);
        }
        assert!(Violation::of(&csp(Object::default())).is_none());
    }

    #[test]
    fn a_port_is_no_part_of_a_host_name() {
        for (address, host) in [
            ("https://a.example:8443/x", Some("a.example")),
            ("wss://[2001:db8::1]:443", Some("[2001:db8::1]")),
            ("https:///x", None),
            ("data", None),
            ("blob:https://a.example/", None),
        ] {
            let mut fields = Object::default();
            fields.push("effective_directive", "img-src".into());
            fields.push("blocked_uri", address.into());
            let report = csp(fields);
            let violation = Violation::of(&report).expect("a violation");
            assert_eq!(violation.blocked_hostname(), host, "{address}");
        }
    }
}
