//! When an issue happens much more often than it used to. In: its events in each hour of the last week. Out: how many
//! there may be in an hour until that is an escalation.
//!
//! An issue that comes steadily may rise five- to eightfold above its average, the more the steadier it is; one that comes
//! in bursts is measured by its largest hour instead. What is younger than a week has no usual yet: ten times its largest
//! hour is too much.

/// The hours of a week.
pub const WEEK_HOURS: usize = 7 * 24;

/// Fewer events in an hour are no escalation, however quiet the issue was.
pub const LEAST: i64 = 10;

const YOUNG_FACTOR: i64 = 10;
const SPIKE_FACTORS: (f64, f64) = (5.0, 8.0);
const BURST_FACTORS: (f64, f64) = (2.0, 5.0);

/// Events in an hour beyond which an issue escalates, from its hours before that one, the oldest first. `is_young` says
/// that it has been there for less than a week.
pub fn limit(hours: &[i64], is_young: bool) -> i64 {
    let largest = hours.iter().copied().max().unwrap_or(0);
    let limit = if is_young || hours.is_empty() {
        largest.saturating_mul(YOUNG_FACTOR)
    } else {
        let burst = largest as f64 * burst_factor(variation(hours));
        spike_limit(hours).max(burst).ceil() as i64
    };
    limit.max(LEAST)
}

/// The weighted average, in which a later hour counts more, and several times the plain one.
fn spike_limit(hours: &[i64]) -> f64 {
    let weights = 1..=hours.len();
    let total: usize = weights.clone().sum();
    let weighted: f64 = hours
        .iter()
        .zip(weights)
        .map(|(events, weight)| *events as f64 * weight as f64)
        .sum();
    weighted / total as f64 + average(hours) * spike_factor(variation(hours))
}

fn average(hours: &[i64]) -> f64 {
    hours.iter().sum::<i64>() as f64 / hours.len() as f64
}

/// The standard deviation in units of the average: 0 for an issue that comes evenly, 13 for one with a single event a week.
fn variation(hours: &[i64]) -> f64 {
    let average = average(hours);
    if average <= 0.0 {
        return 0.0;
    }
    let squares: f64 = hours
        .iter()
        .map(|events| (*events as f64 - average).powi(2))
        .sum();
    (squares / hours.len() as f64).sqrt() / average
}

/// Eight where the hours are alike, down to five where they vary by twice the average and more.
fn spike_factor(variation: f64) -> f64 {
    between(SPIKE_FACTORS, variation / 2.0)
}

/// Five where the hours are alike, down to two where some hours are much larger than others: those are bursts already.
fn burst_factor(variation: f64) -> f64 {
    between(BURST_FACTORS, variation / 4.0)
}

/// The larger bound at 0, the smaller one at 1 and beyond.
fn between((smaller, larger): (f64, f64), share: f64) -> f64 {
    larger - (larger - smaller) * share.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn limits_of_typical_issues() {
        let steady = vec![100; WEEK_HOURS];
        assert_eq!(
            limit(&steady, false),
            900,
            "the average and eight times the average"
        );
        let mut one_burst = vec![0; WEEK_HOURS];
        one_burst[80] = 1_000;
        assert_eq!(limit(&one_burst, false), 2_000, "twice the largest burst");
        assert_eq!(limit(&vec![0; WEEK_HOURS], false), LEAST);
        assert_eq!(limit(&[3, 40, 7], true), 400, "ten times the largest hour");
        assert_eq!(limit(&[], true), LEAST);
        assert_eq!(limit(&[0, 0], true), LEAST);
    }

    #[test]
    fn later_hours_count_more() {
        let (mut rising, mut falling) = (vec![0; WEEK_HOURS], vec![0; WEEK_HOURS]);
        for at in 0..WEEK_HOURS {
            rising[at] = 100 + at as i64;
            falling[at] = 100 + (WEEK_HOURS - 1 - at) as i64;
        }
        assert!(limit(&rising, false) > limit(&falling, false));
    }

    proptest! {
        #[test]
        fn a_limit_lies_between_what_the_factors_allow(
            hours in prop::collection::vec(0i64..100_000, WEEK_HOURS),
        ) {
            let (largest, average) = (hours.iter().copied().max().unwrap_or(0) as f64, average(&hours));
            let limit = limit(&hours, false) as f64;
            prop_assert!(limit >= (largest * 2.0).max(average * 5.0).max(LEAST as f64));
            let most = (largest * 5.0).max(largest + average * 8.0).max(LEAST as f64);
            prop_assert!(limit <= most + 1.0, "{limit} {most}");
        }

        #[test]
        fn more_of_everything_is_a_larger_limit(
            hours in prop::collection::vec(1i64..10_000, WEEK_HOURS),
        ) {
            let double: Vec<i64> = hours.iter().map(|events| events * 2).collect();
            prop_assert!(limit(&double, false) >= limit(&hours, false));
            prop_assert!(limit(&double, true) >= limit(&hours, true));
        }

        #[test]
        fn nothing_breaks_the_arithmetic(hours in prop::collection::vec(0i64..i64::from(u32::MAX), 0..WEEK_HOURS)) {
            prop_assert!(limit(&hours, false) >= LEAST);
            prop_assert!(limit(&hours, true) >= LEAST);
        }
    }
}
