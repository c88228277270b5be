//! How many reports may leave. In: one after the other. Out: whether this one may.

use std::time::{Duration, Instant};

const A_MINUTE: u32 = 10;
const AN_HOUR: u32 = 100;

#[derive(Debug, Default)]
pub(super) struct Pace {
    minute: Option<Window>,
    hour: Option<Window>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Instant,
    taken: u32,
}

impl Pace {
    pub fn take(&mut self, now: Instant) -> bool {
        let minute = current(&mut self.minute, now, Duration::from_secs(60));
        let hour = current(&mut self.hour, now, Duration::from_secs(3_600));
        if minute.taken >= A_MINUTE || hour.taken >= AN_HOUR {
            return false;
        }
        minute.taken += 1;
        hour.taken += 1;
        true
    }
}

fn current(window: &mut Option<Window>, now: Instant, length: Duration) -> &mut Window {
    if window.is_some_and(|window| now.duration_since(window.began) >= length) {
        *window = None;
    }
    window.get_or_insert(Window {
        began: now,
        taken: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_a_minute_and_a_hundred_an_hour() {
        let start = Instant::now();
        let mut pace = Pace::default();
        let mut by_minute = Vec::new();
        for minute in 0..70u64 {
            let now = start + Duration::from_secs(minute * 60);
            by_minute.push((0..50).filter(|_| pace.take(now)).count());
        }
        assert_eq!(by_minute[..10], [10; 10]);
        assert_eq!(by_minute[10..60], [0; 50]);
        assert_eq!(by_minute[60..], [10; 10]);
    }
}
