//! Charts as SVG, drawn by the server. In: counts per bucket. Out: bars with a text alternative; red where it spikes.

mod deploys;

use std::fmt::Write as _;

use askama::Template;
use deploys::{DeployLine, DeployStroke};

use super::format::{day, plural, strftime, thousands};
use crate::model::release_health::Sessions;

/// Which of the buckets are a spike: the last two days, where they hold more than twice what was usual before.
fn hot(counts: &[i64], recent: usize) -> Vec<bool> {
    let split = counts.len().saturating_sub(recent);
    let (before, last) = counts.split_at(split);
    let usual = if before.is_empty() {
        0.0
    } else {
        before.iter().sum::<i64>() as f64 / before.len() as f64
    };
    // A handful of events is no spike, however quiet it was before.
    let enough = last.iter().sum::<i64>() >= 10;
    let mut marks = vec![false; split];
    marks.extend(
        last.iter()
            .map(|count| enough && *count > 0 && *count as f64 > 2.0 * usual),
    );
    marks
}

/// The small bars of a list's row.
#[derive(Template, Debug, Clone)]
#[template(
    source = r#"<svg class="bars" viewBox="0 0 {{ width }} 26" preserveAspectRatio="none" role="img" aria-label="{{ label }}"><path d="{{ calm }}"/>{% if !hot.is_empty() %}<path class="hot" d="{{ hot }}"/>{% endif %}{% for deploy in deploys %}<path class="deploy" d="M{{ deploy.x }} 0h2v26h-2z"><title>{{ deploy.title }}</title></path>{% endfor %}</svg>"#,
    ext = "html"
)]
pub struct Bars {
    width: usize,
    label: String,
    calm: String,
    hot: String,
    deploys: Vec<DeployStroke>,
}

impl askama::filters::HtmlSafe for Bars {}

impl Bars {
    /// One bar a day; red where the last two days spike.
    pub fn days(counts: &[i64]) -> Self {
        Self::draw(counts, &hot(counts, 2), "day")
    }

    /// One bar an hour.
    pub fn hours(counts: &[i64]) -> Self {
        Self::draw(counts, &vec![false; counts.len()], "hour")
    }

    fn draw(counts: &[i64], marks: &[bool], unit: &str) -> Self {
        let most = counts.iter().copied().max().unwrap_or(0).max(1);
        let (mut calm, mut red) = (String::new(), String::new());
        for (at, (count, is_hot)) in counts.iter().zip(marks).enumerate() {
            let height = if *count == 0 {
                1
            } else {
                (count * 24 / most).max(2)
            };
            let path = if *is_hot { &mut red } else { &mut calm };
            write!(path, "M{} 26v-{height}h7v{height}z", at * 8).expect("writing to a string");
        }
        let total: i64 = counts.iter().sum();
        let label = format!(
            "{} in {} {unit}s, at most {} in one {unit}{}",
            plural(total, "event", "events"),
            counts.len(),
            thousands(counts.iter().copied().max().unwrap_or(0)),
            if red.is_empty() { "" } else { ", spiking now" }
        );
        Self {
            width: counts.len() * 8,
            label,
            calm,
            hot: red,
            deploys: Vec::new(),
        }
    }
}

/// A bar of the large chart; positions are percentages of its width, heights pixels.
#[derive(Debug, Clone)]
pub struct Bar {
    pub x: String,
    pub width: String,
    pub y: i64,
    pub height: i64,
    pub hot: bool,
    pub title: String,
}

/// A word at a place of the axis.
#[derive(Debug, Clone)]
pub struct Label {
    pub x: String,
    pub text: String,
    /// Near the right end the words stand left of their place.
    pub flip: bool,
}

/// The chart of one issue.
#[derive(Template, Debug, Clone)]
#[template(path = "components/chart.html")]
pub struct Chart {
    bars: Vec<Bar>,
    axis: Vec<Label>,
    releases: Vec<Label>,
    label: String,
    start: i64,
    span: i64,
    deploys: Vec<DeployLine>,
    /// What the marks of deploys stand for.
    legend: String,
}

impl askama::filters::HtmlSafe for Chart {}

const CHART_HEIGHT: i64 = 66;
const CHART_TOP: i64 = 16;

impl Chart {
    /// `counts` are buckets of `bucket_ms` from `start` on; `releases` are versions with the moment they were first seen.
    pub fn new(start: i64, bucket_ms: i64, counts: &[i64], releases: &[(String, i64)]) -> Self {
        let recent = usize::try_from(2 * 86_400_000 / bucket_ms).unwrap_or(2);
        let marks = hot(counts, recent);
        let title = |at: usize| plural(counts[at], "event", "events");
        let total = plural(counts.iter().sum(), "event", "events");
        let course = Course {
            start,
            bucket_ms,
            counts,
            marks: &marks,
        };
        course.draw(&total, title, releases)
    }

    /// The sessions of a release; red where some crashed.
    pub fn sessions(start: i64, bucket_ms: i64, sessions: &[Sessions]) -> Self {
        let counts: Vec<i64> = sessions.iter().map(|one| one.total).collect();
        let marks: Vec<bool> = sessions.iter().map(|one| one.crashed > 0).collect();
        let crashed: i64 = sessions.iter().map(|one| one.crashed).sum();
        let words = |total: i64, crashed: i64| {
            let total = plural(total, "session", "sessions");
            match crashed {
                0 => total,
                crashed => format!("{total}, {} crashed", thousands(crashed)),
            }
        };
        let title = |at: usize| words(sessions[at].total, sessions[at].crashed);
        let total = words(counts.iter().sum(), crashed);
        let course = Course {
            start,
            bucket_ms,
            counts: &counts,
            marks: &marks,
        };
        course.draw(&total, title, &[])
    }
}

/// What a chart shows: counts of buckets, and which of them stand out.
struct Course<'c> {
    start: i64,
    bucket_ms: i64,
    counts: &'c [i64],
    marks: &'c [bool],
}

impl Course<'_> {
    fn draw(
        &self,
        total: &str,
        title: impl Fn(usize) -> String,
        releases: &[(String, i64)],
    ) -> Chart {
        let Self {
            start,
            bucket_ms,
            counts,
            marks,
        } = *self;
        let most = counts.iter().copied().max().unwrap_or(0).max(1);
        let span = bucket_ms * counts.len() as i64;
        let place = |ms: i64| format!("{:.2}%", (ms - start) as f64 * 100.0 / span as f64);
        let step = 100.0 / counts.len().max(1) as f64;
        let bars = counts
            .iter()
            .zip(marks)
            .enumerate()
            .map(|(at, (count, hot))| {
                let height = if *count == 0 {
                    1
                } else {
                    (count * CHART_HEIGHT / most).max(3)
                };
                let from = start + bucket_ms * at as i64;
                Bar {
                    x: format!("{:.2}%", step * at as f64 + step * 0.08),
                    width: format!("{:.2}%", step * 0.84),
                    y: CHART_TOP + CHART_HEIGHT - height,
                    height,
                    hot: *hot,
                    title: format!("{}: {}", strftime(from, "%-d %b %H:%M UTC"), title(at)),
                }
            })
            .collect();
        let axis = (0..4)
            .map(|quarter| start + span * quarter / 4)
            .map(|ms| Label {
                x: place(ms),
                text: day(ms),
                flip: false,
            })
            .collect();
        let mut shown: Vec<Label> = Vec::new();
        let mut last = i64::MIN;
        for (version, seen) in releases {
            // Labels closer than a twelfth of the width would run into each other.
            if (start..start + span).contains(seen) && *seen - span / 12 >= last {
                last = *seen;
                let flip = *seen > start + span * 9 / 10;
                shown.push(Label {
                    x: place(*seen),
                    text: short_version(version),
                    flip,
                });
            }
        }
        let label = format!(
            "{total} from {} to {}, at most {} in one bar",
            day(start),
            day(start + span),
            thousands(counts.iter().copied().max().unwrap_or(0))
        );
        Chart {
            bars,
            axis,
            releases: shown,
            label,
            start,
            span,
            deploys: Vec::new(),
            legend: String::new(),
        }
    }
}

impl Chart {
    /// What was taken and, on top of it in red, what was not, in buckets of `bucket_ms` from `start` on.
    pub fn stacked(start: i64, bucket_ms: i64, taken: &[i64], lost: &[i64]) -> Self {
        let sums = taken.iter().zip(lost).map(|(taken, lost)| taken + lost);
        let most = sums.clone().max().unwrap_or(0).max(1);
        let span = bucket_ms * taken.len() as i64;
        let step = 100.0 / taken.len().max(1) as f64;
        let mut bars = Vec::new();
        for (at, (taken, lost)) in taken.iter().zip(lost).enumerate() {
            let height = |count: i64| match count {
                0 => 0,
                count => (count * CHART_HEIGHT / most).max(2),
            };
            let from = strftime(start + bucket_ms * at as i64, "%-d %b %H:%M UTC");
            let bar = |height: i64, y: i64, hot: bool| Bar {
                x: format!("{:.2}%", step * at as f64 + step * 0.08),
                width: format!("{:.2}%", step * 0.84),
                y,
                height,
                hot,
                title: format!(
                    "{from}: {} taken, {} not",
                    thousands(*taken),
                    thousands(*lost)
                ),
            };
            let foot = CHART_TOP + CHART_HEIGHT;
            let (low, high) = (height(*taken), height(*lost));
            // A line where nothing was, so that the axis is seen.
            let low = if low + high == 0 { 1 } else { low };
            if low > 0 {
                bars.push(bar(low, foot - low, false));
            }
            if high > 0 {
                bars.push(bar(high, foot - low - high, true));
            }
        }
        let axis = (0..4)
            .map(|quarter| start + span * quarter / 4)
            .map(|ms| Label {
                x: format!("{:.2}%", (ms - start) as f64 * 100.0 / span.max(1) as f64),
                text: if span <= 2 * 86_400_000 {
                    strftime(ms, "%H:%M UTC")
                } else {
                    day(ms)
                },
                flip: false,
            })
            .collect();
        let label = format!(
            "{} taken and {} not taken from {} to {}",
            plural(taken.iter().sum(), "event", "events"),
            thousands(lost.iter().sum()),
            day(start),
            day(start + span),
        );
        Self {
            bars,
            axis,
            releases: Vec::new(),
            label,
            start,
            span,
            deploys: Vec::new(),
            legend: String::new(),
        }
    }
}

/// `shop@1.4.2` is said once on a page; marks show `1.4.2`. Long hashes are cut.
pub fn short_version(version: &str) -> String {
    let short = version.rsplit_once('@').map_or(version, |(_, short)| short);
    if short.chars().count() > 12 {
        format!("{}…", short.chars().take(11).collect::<String>())
    } else {
        short.to_owned()
    }
}

/// A thin bar split by the shares of a tag's values, the largest first.
#[derive(Template, Debug, Clone)]
#[template(
    source = r#"<svg class="share" viewBox="0 0 1000 4" preserveAspectRatio="none" aria-hidden="true">{% for (x, width, top) in parts %}<rect{% if top %} class="top"{% endif %} x="{{ x }}" width="{{ width }}" height="4"/>{% endfor %}</svg>"#,
    ext = "html"
)]
pub struct Shares {
    parts: Vec<(i64, i64, bool)>,
}

impl askama::filters::HtmlSafe for Shares {}

impl Shares {
    pub fn new(counts: &[i64], total: i64) -> Self {
        let total = total.max(counts.iter().sum()).max(1);
        let mut x = 0;
        let mut parts = Vec::new();
        for (at, count) in counts.iter().take(5).enumerate() {
            let width = count * 1000 / total;
            parts.push((x, (width - 5).max(2), at == 0));
            x += width;
        }
        if x < 995 {
            parts.push((x, 1000 - x, false));
        }
        Self { parts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_present_spike_is_red() {
        let spike = [5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 12, 80, 74];
        assert_eq!(hot(&spike, 2)[11..], [false, true, true]);
        let even = [50; 14];
        assert!(hot(&even, 2).iter().all(|hot| !hot));
        let past = [0, 0, 0, 90, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1];
        assert!(hot(&past, 2).iter().all(|hot| !hot));
        let few = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3];
        assert!(hot(&few, 2).iter().all(|hot| !hot));
        assert!(hot(&[], 2).is_empty());
    }

    #[test]
    fn bars_carry_their_text() {
        let html = Bars::days(&[0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 40, 90]).to_string();
        assert!(
            html.contains(
                "aria-label=\"136 events in 14 days, at most 90 in one day, spiking now\""
            ),
            "{html}"
        );
        assert!(html.contains("class=\"hot\""));
    }

    #[test]
    fn shares_fill_the_width() {
        let shares = Shares::new(&[71, 20], 100);
        assert_eq!(
            shares.parts,
            vec![(0, 705, true), (710, 195, false), (910, 90, false)]
        );
        assert_eq!(Shares::new(&[], 0).parts, vec![(0, 1000, false)]);
    }

    #[test]
    fn versions_lose_their_package() {
        assert_eq!(short_version("shop@1.4.2"), "1.4.2");
        assert_eq!(short_version("0123456789abcdef0123"), "0123456789a…");
    }
}
