//! The health of a release on its page. In: what its sessions told. Out: shares and counts as texts, and their course.

use crate::model::distinct::Distinct;
use crate::model::release_health::{Sessions, crash_free, percent};
use crate::store::release_details::DeployMark;
use crate::store::release_health::Health;
use crate::web::chart::Chart;
use crate::web::format::Count;

/// Days that the page looks back.
pub const DAYS: i64 = 14;
const HOUR_MS: i64 = 3_600_000;
/// Hours of one bar.
const BAR_HOURS: i64 = 6;
const BARS: i64 = DAYS * 24 / BAR_HOURS;

/// The panel.
pub struct HealthView {
    pub crash_free_sessions: String,
    /// None where no session says who had it.
    pub crash_free_users: Option<String>,
    pub sessions: Count,
    pub users: Option<Count>,
    /// Its share of the sessions of the last day.
    pub adoption: Option<String>,
    pub crashed: Count,
    pub unhandled: Count,
    pub abnormal: Count,
    pub errored: Count,
    pub chart: Chart,
}

fn users(users: &Distinct) -> Option<Count> {
    match users.count() {
        0 => None,
        count if users.is_exact() => Some(Count::new(count)),
        count => Some(Count::about(count)),
    }
}

impl HealthView {
    pub fn new(health: &Health, deploys: &[DeployMark], now: i64) -> Self {
        let end = now.div_euclid(HOUR_MS) / BAR_HOURS * BAR_HOURS + BAR_HOURS;
        let first = end - BARS * BAR_HOURS;
        let mut bars = vec![Sessions::default(); BARS as usize];
        for (hour, sessions) in health.hours.range(first..end) {
            bars[((hour - first) / BAR_HOURS) as usize].merge(sessions);
        }
        let sessions = &health.sessions;
        let (own, all) = health.last_day;
        Self {
            crash_free_sessions: sessions.crash_free().map_or_else(String::new, percent),
            crash_free_users: crash_free(health.users.count(), health.crashed_users.count())
                .map(percent),
            sessions: Count::new(sessions.total),
            users: users(&health.users),
            adoption: (all > 0).then(|| percent(own as f64 * 100.0 / all as f64)),
            crashed: Count::new(sessions.crashed),
            unhandled: Count::new(sessions.unhandled),
            abnormal: Count::new(sessions.abnormal),
            errored: Count::new(sessions.errored),
            chart: Chart::sessions(first * HOUR_MS, BAR_HOURS * HOUR_MS, &bars)
                .with_deploys(deploys),
        }
    }
}
