//! Small forms that every answer uses. In: stored values. Out: times and addresses as clients parse them.

use jiff::Timestamp;
use serde_json::Value;

/// `2026-01-31T12:00:00.123000Z`: always microseconds, always `Z`.
pub fn time(millis: i64) -> String {
    let time = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.6}")
}

/// A time, or null.
pub fn maybe_time(millis: Option<i64>) -> Value {
    millis.map_or(Value::Null, |millis| Value::String(time(millis)))
}

/// Where an issue's page is.
pub fn issue_url(base_url: &str, organization: &str, issue_id: i64) -> String {
    format!("{base_url}/{organization}/issues/{issue_id}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_microseconds_and_no_offset() {
        assert_eq!(time(1_767_225_600_123), "2026-01-01T00:00:00.123000Z");
        assert_eq!(time(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(maybe_time(None), Value::Null);
    }
}
