//! Corrects the client's clock.
//! In: the event's own times, when it was sent and when it came in. Out: times that lie where they can be.

use crate::process::event::Event;
use crate::process::time::Rfc3339;
use crate::protocol::json::Json;

use super::reader::Reader;

const MINUTE_US: i64 = 60 * 1_000_000;
/// Smaller differences are the way of the request rather than a wrong clock.
const DRIFT_US: i64 = 55 * MINUTE_US;
const AHEAD_US: i64 = MINUTE_US;
const BACK_US: i64 = 30 * 24 * 60 * MINUTE_US;

/// Shifts every time of the event by the clock's error, and again to the time of receipt if it is still absurd.
pub(super) fn correct(
    reader: &mut Reader<'_>,
    event: &mut Event<'_>,
    received_ms: i64,
    sent_at_ms: Option<i64>,
) {
    let receipt_us = received_ms.saturating_mul(1000);
    let drift_us = sent_at_ms.map_or(0, |sent_at_ms| {
        received_ms.saturating_sub(sent_at_ms).saturating_mul(1000)
    });
    if drift_us.saturating_abs() >= DRIFT_US {
        let sent = Rfc3339(receipt_us.saturating_sub(drift_us)).to_string();
        reader.note_value("clock_drift", "timestamp", Some(Json::from(sent)));
        shift(event, drift_us);
    }
    let ahead_us = event.timestamp_us.saturating_sub(receipt_us);
    let kind = if ahead_us > AHEAD_US {
        "future_timestamp"
    } else if ahead_us < -BACK_US {
        "past_timestamp"
    } else {
        return;
    };
    let claimed = Rfc3339(event.timestamp_us).to_string();
    reader.note_value(kind, "timestamp", Some(Json::from(claimed)));
    shift(event, ahead_us.saturating_neg());
}

fn shift(event: &mut Event<'_>, by_us: i64) {
    event.timestamp_us = event.timestamp_us.saturating_add(by_us);
    for crumb in &mut event.breadcrumbs {
        crumb.timestamp_us = crumb.timestamp_us.map(|time| time.saturating_add(by_us));
    }
}
