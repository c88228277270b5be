//! `StatsD` lines. In: families now and at the last push. Out: packets that fit an Ethernet frame: counters as what was
//! added since, gauges as they are, histograms as a count and percentiles in milliseconds.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::metrics::Distribution;
use super::metrics::family::{Family, Kind, Labels, Value};

/// What fits an Ethernet frame with room for tunnels.
pub const PACKET_BYTES: usize = 1_432;
const PERCENTILES: [(&str, f64); 3] = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)];

/// How names are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    pub prefix: String,
    /// Labels as `DogStatsD` tags instead of parts of the name.
    pub tags: bool,
}

/// Remembers what was pushed, so that counters go out as differences.
pub struct Push {
    style: Style,
    counters: HashMap<String, f64>,
    histograms: HashMap<String, Distribution>,
}

impl Push {
    pub fn new(style: Style) -> Self {
        Self {
            style,
            counters: HashMap::new(),
            histograms: HashMap::new(),
        }
    }

    /// The packets of this push.
    pub fn packets(&mut self, families: &[Family]) -> Vec<String> {
        let mut packets = Packets::default();
        for family in families {
            for sample in &family.samples {
                let (name, tags) = self.name(family, &sample.labels);
                let series = format!("{name}{tags}");
                match &sample.value {
                    Value::Number(number) if family.kind == Kind::Counter => {
                        let before = self.counters.insert(series, *number).unwrap_or(0.0);
                        let added = number - before;
                        // A counter that did not move costs no packet.
                        if added > 0.0 {
                            packets.add(&name, added, "c", &tags);
                        }
                    }
                    Value::Number(number) => {
                        // A sign would make it a difference.
                        if *number < 0.0 {
                            packets.add(&name, 0.0, "g", &tags);
                        }
                        packets.add(&name, *number, "g", &tags);
                    }
                    Value::Distribution(now) => {
                        let before = self.histograms.insert(series, (**now).clone());
                        let fresh = now.since(&before.unwrap_or_default());
                        if fresh.count() == 0 {
                            continue;
                        }
                        packets.add(&format!("{name}.count"), fresh.count() as f64, "c", &tags);
                        for (suffix, share) in PERCENTILES {
                            if let Some(us) = fresh.quantile_us(share) {
                                let name = format!("{name}.{suffix}");
                                packets.add(&name, (us / 10.0).round() / 100.0, "g", &tags);
                            }
                        }
                    }
                }
            }
        }
        packets.finish()
    }

    /// `bugle.ingest_requests.envelope.accepted`, or the same with tags; histograms of seconds say `_ms`.
    fn name(&self, family: &Family, labels: &Labels) -> (String, String) {
        let short = family.name.strip_prefix("bugle_").unwrap_or(family.name);
        let short = short.strip_suffix("_total").unwrap_or(short);
        let mut name = self.style.prefix.clone();
        if !name.is_empty() {
            name.push('.');
        }
        match (family.kind, short.strip_suffix("_seconds")) {
            (Kind::Histogram, Some(base)) => {
                name.push_str(base);
                name.push_str("_ms");
            }
            _ => name.push_str(short),
        }
        let mut tags = String::new();
        for (label, value) in labels {
            let value = clean(value);
            if self.style.tags {
                let separator = if tags.is_empty() { "|#" } else { "," };
                // Writing to a string cannot fail.
                let _ = write!(tags, "{separator}{label}:{value}");
            } else {
                name.push('.');
                name.push_str(&value);
            }
        }
        (name, tags)
    }
}

/// What separates names, values and tags must not stand in them.
fn clean(value: &str) -> String {
    let cleaned: String = value
        .chars()
        .map(|letter| match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => letter,
            _ => '_',
        })
        .collect();
    match cleaned.trim_matches('_') {
        "" => "root".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

#[derive(Default)]
struct Packets {
    done: Vec<String>,
    current: String,
}

impl Packets {
    fn add(&mut self, name: &str, value: f64, kind: &str, tags: &str) {
        let line = format!("{name}:{value}|{kind}{tags}");
        // A line that fits no packet has a name that somebody made far too long.
        if line.len() > PACKET_BYTES {
            return;
        }
        if !self.current.is_empty() && self.current.len() + 1 + line.len() > PACKET_BYTES {
            self.done.push(std::mem::take(&mut self.current));
        }
        if !self.current.is_empty() {
            self.current.push('\n');
        }
        self.current.push_str(&line);
    }

    fn finish(mut self) -> Vec<String> {
        if !self.current.is_empty() {
            self.done.push(self.current);
        }
        self.done
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::telemetry::metrics::Histogram;
    use crate::telemetry::metrics::family::label;

    fn style(tags: bool) -> Style {
        Style {
            prefix: "bugle".to_owned(),
            tags,
        }
    }

    #[test]
    fn counters_go_out_as_differences() {
        let mut push = Push::new(style(false));
        let at = |count: u64| {
            [
                Family::counter("bugle_a_total", "").with(label("outcome", "sent"), count),
                Family::gauge("bugle_g", "").of(-2i64),
            ]
        };
        assert_eq!(
            push.packets(&at(5)),
            ["bugle.a.sent:5|c\nbugle.g:0|g\nbugle.g:-2|g"]
        );
        assert_eq!(push.packets(&at(5)), ["bugle.g:0|g\nbugle.g:-2|g"]);
        assert!(push.packets(&at(7))[0].starts_with("bugle.a.sent:2|c\n"));
    }

    #[test]
    fn histograms_go_out_as_percentiles_of_what_is_new() {
        let histogram = Histogram::new();
        let mut push = Push::new(style(true));
        let now = |histogram: &Histogram| {
            let labels = label("route", "/{org}/issues/");
            [Family::histogram("bugle_d_seconds", "").with(labels, histogram)]
        };
        assert!(push.packets(&now(&histogram)).is_empty());
        histogram.observe(Duration::from_millis(2));
        let packet = push.packets(&now(&histogram)).concat();
        let lines: Vec<&str> = packet.lines().collect();
        assert_eq!(lines[0], "bugle.d_ms.count:1|c|#route:org__issues");
        assert!(lines[1].starts_with("bugle.d_ms.p50:1.75|g|#"), "{packet}");
        assert_eq!(lines.len(), 4);
        assert!(push.packets(&now(&histogram)).is_empty());
    }

    #[test]
    fn packets_fit_a_frame() {
        let mut family = Family::counter("bugle_many_total", "");
        for number in 0..500 {
            family.push(label("n", number.to_string()), 1u64);
        }
        let packets = Push::new(style(false)).packets(&[family]);
        assert!(packets.len() > 1);
        assert!(packets.iter().all(|packet| packet.len() <= PACKET_BYTES));
        assert_eq!(
            packets.iter().flat_map(|packet| packet.lines()).count(),
            500
        );
    }
}
