//! The security reports that browsers send by themselves, in the forms of all their generations.
//! In: the body of a request. Out: its reports, each with its kind and fields; how many others stood beside them.

use std::borrow::Cow;

use super::json::{self, Json, Object, Text};
use crate::model::event::ReportKind;

/// What one request may hold. Browsers collect reports for a minute; this is a busy page's.
pub const MOST_REPORTS: usize = 100;

#[derive(Debug, PartialEq)]
pub struct Report<'a> {
    pub kind: ReportKind,
    /// As the browser spelled them.
    pub fields: Object<'a>,
    /// How long the browser kept it back.
    pub age_ms: i64,
    /// The browser's own word about itself.
    pub user_agent: Option<Text<'a>>,
}

/// The reports of one request.
#[derive(Debug, Default, PartialEq)]
pub struct Reports<'a> {
    pub kept: Vec<Report<'a>>,
    /// Of other types, or without what a report of their type has to say.
    pub skipped: usize,
    /// Beyond [`MOST_REPORTS`].
    pub surplus: usize,
}

/// Why a body is no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecurityError {
    #[error("the report is not JSON: {0}")]
    NotJson(String),
    #[error(
        "no security report: an object with csp-report, expect-ct-report, expect-staple-report or known-pins, or a list of \
         reports of the Reporting API, is expected"
    )]
    NoReport,
    #[error("a {0} report without {1}")]
    Incomplete(&'static str, &'static str),
}

/// Reads a body of any generation.
pub fn read(body: &[u8]) -> Result<Reports<'_>, SecurityError> {
    match json::parse(body).map_err(|error| SecurityError::NotJson(error.to_string()))? {
        Json::List(items) => Ok(read_list(items)),
        Json::Object(object) => {
            let kept = vec![read_single(object)?];
            Ok(Reports {
                kept,
                ..Reports::default()
            })
        }
        _ => Err(SecurityError::NoReport),
    }
}

fn read_list(items: Vec<Json<'_>>) -> Reports<'_> {
    let mut reports = Reports::default();
    for item in items {
        let report = match item {
            Json::Object(object) => read_queued(object),
            _ => None,
        };
        match report {
            Some(_) if reports.kept.len() == MOST_REPORTS => reports.surplus += 1,
            Some(report) => reports.kept.push(report),
            None => reports.skipped += 1,
        }
    }
    reports
}

/// One report of the Reporting API; only violations of the content security policy are ours.
fn read_queued(mut object: Object<'_>) -> Option<Report<'_>> {
    if object.get_str("type") != Some("csp-violation") {
        return None;
    }
    let Some(Json::Object(mut fields)) = object.remove("body") else {
        return None;
    };
    missing(ReportKind::Csp, &fields).is_none().then(|| {
        // Some browsers name the page beside the body only.
        if let Some(url @ Json::Str(_)) = object.remove("url")
            && !has(&fields, &["document_uri"])
        {
            fields.push("document_uri", url);
        }
        Report {
            kind: ReportKind::Csp,
            fields,
            age_ms: age(object.get("age")),
            user_agent: match object.remove("user_agent") {
                Some(Json::Str(agent)) => Some(agent),
                _ => None,
            },
        }
    })
}

/// A day at most: no browser keeps reports longer.
fn age(value: Option<&Json<'_>>) -> i64 {
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;
    match value {
        Some(Json::I64(age)) => (*age).clamp(0, DAY_MS),
        Some(Json::F64(age)) if age.is_finite() => (*age as i64).clamp(0, DAY_MS),
        _ => 0,
    }
}

/// The older forms: one report with its name around it, or pins beside it.
fn read_single(mut object: Object<'_>) -> Result<Report<'_>, SecurityError> {
    const NAMED: [(&str, ReportKind); 3] = [
        ("csp-report", ReportKind::Csp),
        ("expect-ct-report", ReportKind::ExpectCt),
        ("expect-staple-report", ReportKind::ExpectStaple),
    ];
    if object.get_str("type") == Some("csp-violation") {
        return read_queued(object).ok_or(SecurityError::Incomplete("csp", "effectiveDirective"));
    }
    let named = NAMED
        .into_iter()
        .find_map(|(name, kind)| Some((kind, object.remove(name)?)));
    let (kind, fields) = match named {
        Some((kind, Json::Object(fields))) => (kind, fields),
        None if object.get("known-pins").is_some() => (ReportKind::Hpkp, object),
        Some(_) | None => return Err(SecurityError::NoReport),
    };
    if let Some(name) = missing(kind, &fields) {
        return Err(SecurityError::Incomplete(kind.as_str(), name));
    }
    Ok(Report {
        kind,
        fields,
        age_ms: 0,
        user_agent: None,
    })
}

/// Without this nothing can be said about what happened.
fn missing(kind: ReportKind, fields: &Object<'_>) -> Option<&'static str> {
    let (wanted, name): (&[&str], _) = match kind {
        ReportKind::Csp => (
            &["effective_directive", "violated_directive"],
            "effective-directive",
        ),
        _ => (&["hostname"], "hostname"),
    };
    (!has(fields, wanted)).then_some(name)
}

fn has(fields: &Object<'_>, names: &[&str]) -> bool {
    fields.0.iter().any(|(key, value)| {
        value.as_str().is_some_and(|text| !text.trim().is_empty())
            && names.contains(&&*spelling(key))
    })
}

/// One spelling for what browsers write as `blocked-uri`, `blockedURL` and `blocked_uri`.
pub fn spelling(key: &str) -> Cow<'_, str> {
    const RENAMED: [(&str, &str); 3] = [
        ("blockedURL", "blocked_uri"),
        ("documentURL", "document_uri"),
        ("sample", "script_sample"),
    ];
    if let Some((_, ours)) = RENAMED.into_iter().find(|(theirs, _)| *theirs == key) {
        return Cow::Borrowed(ours);
    }
    if !key.contains(|letter: char| letter == '-' || letter.is_ascii_uppercase()) {
        return Cow::Borrowed(key);
    }
    let mut spelled = String::with_capacity(key.len() + 4);
    for letter in key.chars() {
        match letter {
            '-' => spelled.push('_'),
            upper if upper.is_ascii_uppercase() => {
                spelled.push('_');
                spelled.push(upper.to_ascii_lowercase());
            }
            other => spelled.push(other),
        }
    }
    Cow::Owned(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(body: &str) -> Result<Vec<ReportKind>, SecurityError> {
        let reports = read(body.as_bytes())?;
        Ok(reports.kept.iter().map(|report| report.kind).collect())
    }

    #[test]
    fn each_generation_is_known_by_its_form() {
        for (body, kind) in [
            (
                r#"{"csp-report":{"violated-directive":"img-src"}}"#,
                ReportKind::Csp,
            ),
            (
                r#"{"type":"csp-violation","body":{"effectiveDirective":"img-src"}}"#,
                ReportKind::Csp,
            ),
            (
                r#"{"known-pins":["pin-sha256=\"a\""],"hostname":"a.example"}"#,
                ReportKind::Hpkp,
            ),
            (
                r#"{"expect-ct-report":{"hostname":"a.example"}}"#,
                ReportKind::ExpectCt,
            ),
            (
                r#"{"expect-staple-report":{"hostname":"a.example"}}"#,
                ReportKind::ExpectStaple,
            ),
        ] {
            assert_eq!(kinds(body), Ok(vec![kind]), "{body}");
        }
    }

    #[test]
    fn what_is_no_report_is_refused_with_a_reason() {
        for body in [
            "{}",
            "7",
            r#"{"csp-report":7}"#,
            r#"{"hostname":"a.example"}"#,
        ] {
            assert_eq!(kinds(body), Err(SecurityError::NoReport), "{body}");
        }
        assert!(matches!(kinds("{"), Err(SecurityError::NotJson(_))));
        for body in [
            r#"{"csp-report":{"blocked-uri":"x","violated-directive":" "}}"#,
            r#"{"expect-ct-report":{"hostname":7}}"#,
            r#"{"known-pins":[]}"#,
        ] {
            let refused = kinds(body);
            assert!(
                matches!(refused, Err(SecurityError::Incomplete(..))),
                "{body}"
            );
        }
    }

    #[test]
    fn a_list_keeps_violations_and_counts_the_rest() {
        let violation = r#"{"type":"csp-violation","age":12.5,"url":"https://a.example/","user_agent":"x","body":{"effectiveDirective":"img-src"}}"#;
        let items = [&[violation; 103][..], &["{}", "7"]].concat().join(",");
        let body = format!("[{items}]");
        let reports = read(body.as_bytes()).expect("reports");
        assert_eq!(
            (reports.kept.len(), reports.skipped, reports.surplus),
            (MOST_REPORTS, 2, 3)
        );
        let first = &reports.kept[0];
        assert_eq!((first.age_ms, first.user_agent.as_deref()), (12, Some("x")));
        assert_eq!(
            first.fields.get_str("document_uri"),
            Some("https://a.example/")
        );
    }

    #[test]
    fn all_spellings_become_one() {
        for (theirs, ours) in [
            ("blocked-uri", "blocked_uri"),
            ("blockedURL", "blocked_uri"),
            ("documentURL", "document_uri"),
            ("effectiveDirective", "effective_directive"),
            ("script-sample", "script_sample"),
            ("sample", "script_sample"),
            ("status_code", "status_code"),
        ] {
            assert_eq!(spelling(theirs), ours);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn a_spelling_stays(key in "\\PC{0,20}") {
            let once = spelling(&key).into_owned();
            // A word that another generation uses for something else is read once only.
            proptest::prop_assume!(once != "sample");
            proptest::prop_assert_eq!(spelling(&once), once.clone());
        }
    }
}
