//! Security reports of browsers inside an event.
//! In: the report in any spelling. Out: the known fields, in one spelling and always in the same order.

use crate::model::event::ReportKind;
use crate::process::event::Report;
use crate::protocol::json::{Json, Object};
use crate::protocol::security::spelling;

use super::limits::{self, Length};
use super::reader::{Reader, trimmed};

/// What a field holds.
#[derive(Clone, Copy)]
enum Form {
    Text(Length),
    Number,
    Flag,
    /// Lists of certificates and the like, bounded with the whole report.
    Any,
}

type Fields = &'static [(&'static str, Form)];

const NAME: Form = Form::Text(limits::NAME);
const LONG: Form = Form::Text(limits::REPORT_TEXT);

/// What says most stands first: a report that is too large is cut from its end.
const CSP: Fields = &[
    ("effective_directive", NAME),
    ("blocked_uri", LONG),
    ("document_uri", LONG),
    ("violated_directive", LONG),
    ("disposition", NAME),
    ("source_file", LONG),
    ("line_number", Form::Number),
    ("column_number", Form::Number),
    ("status_code", Form::Number),
    ("referrer", LONG),
    ("script_sample", LONG),
    ("original_policy", Form::Text(limits::MESSAGE)),
];

const HPKP: Fields = &[
    ("hostname", NAME),
    ("port", Form::Number),
    ("noted_hostname", NAME),
    ("include_subdomains", Form::Flag),
    ("date_time", NAME),
    ("effective_expiration_date", NAME),
    ("known_pins", Form::Any),
    ("served_certificate_chain", Form::Any),
    ("validated_certificate_chain", Form::Any),
];

const EXPECT_CT: Fields = &[
    ("hostname", NAME),
    ("port", Form::Number),
    ("scheme", NAME),
    ("failure_mode", NAME),
    ("test_report", Form::Flag),
    ("date_time", NAME),
    ("effective_expiration_date", NAME),
    ("scts", Form::Any),
    ("served_certificate_chain", Form::Any),
    ("validated_certificate_chain", Form::Any),
];

const EXPECT_STAPLE: Fields = &[
    ("hostname", NAME),
    ("port", Form::Number),
    ("response_status", NAME),
    ("cert_status", NAME),
    ("date_time", NAME),
    ("effective_expiration_date", NAME),
    ("ocsp_response", Form::Any),
    ("served_certificate_chain", Form::Any),
    ("validated_certificate_chain", Form::Any),
];

const fn fields_of(kind: ReportKind) -> Fields {
    match kind {
        ReportKind::Csp => CSP,
        ReportKind::Hpkp => HPKP,
        ReportKind::ExpectCt => EXPECT_CT,
        ReportKind::ExpectStaple => EXPECT_STAPLE,
    }
}

pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    kind: ReportKind,
    value: Json<'a>,
) -> Option<Report<'a>> {
    let mut given = reader.object(kind.as_str(), value)?;
    let mut fields = Object::default();
    for (name, form) in fields_of(kind) {
        let at = given.0.iter().position(|(key, _)| spelling(key) == *name);
        let Some((_, value)) = at.map(|at| given.0.remove(at)) else {
            continue;
        };
        if let Some(value) = read_field(reader, kind, *form, value) {
            fields.push(*name, value);
        }
    }
    Some(Report { kind, fields })
}

fn read_field<'a>(
    reader: &mut Reader<'a>,
    kind: ReportKind,
    form: Form,
    value: Json<'a>,
) -> Option<Json<'a>> {
    match form {
        Form::Text(length) => {
            let text = trimmed(reader.lenient_text(kind.as_str(), value)?);
            (!text.is_empty()).then(|| Json::Str(reader.cut(kind.as_str(), text, length)))
        }
        Form::Number => reader.natural(kind.as_str(), value).map(Json::I64),
        Form::Flag => reader.boolean(kind.as_str(), value).map(Json::Bool),
        Form::Any => (!value.is_null()).then_some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::json::parse;

    fn fields(kind: ReportKind, json: &str) -> String {
        let mut reader = Reader::default();
        let value = parse(json.as_bytes()).expect("JSON");
        let report = read(&mut reader, kind, value).expect("a report");
        Json::Object(report.fields).to_text()
    }

    #[test]
    fn known_fields_of_all_spellings_stay() {
        for (kind, json, expected) in [
            (
                ReportKind::Csp,
                r#"{"status-code":"200","blocked-uri":" self ","effectiveDirective":"img-src","lineNumber":3,"odd":1,"sample":""}"#,
                r#"{"effective_directive":"img-src","blocked_uri":"self","line_number":3,"status_code":200}"#,
            ),
            (
                ReportKind::Hpkp,
                r#"{"known-pins":["a"],"hostname":"a.example","port":443,"include-subdomains":true}"#,
                r#"{"hostname":"a.example","port":443,"include_subdomains":true,"known_pins":["a"]}"#,
            ),
            (
                ReportKind::ExpectStaple,
                r#"{"hostname":["no"],"response-status":"MISSING"}"#,
                r#"{"response_status":"MISSING"}"#,
            ),
        ] {
            assert_eq!(fields(kind, json), expected);
            assert_eq!(fields(kind, expected), expected, "read again");
        }
    }
}
