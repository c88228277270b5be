//! Prometheus' text format. In: families. Out: the page that a scrape reads.

use std::fmt::Write as _;

use super::metrics::family::{Family, Kind, Labels, Sample, Value};
use super::metrics::{BOUNDS_US, Distribution};

pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes all families; one without samples is left out.
pub fn page(families: &[Family]) -> String {
    let mut out = String::with_capacity(16 * 1024);
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let Family { name, help, .. } = family;
        // Writing to a string cannot fail.
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for Sample { labels, value } in &family.samples {
            match value {
                Value::Number(number) => line(&mut out, name, "", labels, None, *number),
                Value::Distribution(found) => histogram(&mut out, name, labels, found),
            }
        }
    }
    out
}

fn histogram(out: &mut String, name: &str, labels: &Labels, found: &Distribution) {
    let mut below = 0;
    for (samples, bound) in found.buckets.iter().zip(BOUNDS_US) {
        below += samples;
        let bound = (bound as f64 / 1e6).to_string();
        line(out, name, "_bucket", labels, Some(&bound), below as f64);
    }
    let count = found.count() as f64;
    line(out, name, "_bucket", labels, Some("+Inf"), count);
    line(out, name, "_sum", labels, None, found.sum_us as f64 / 1e6);
    line(out, name, "_count", labels, None, count);
}

fn line(
    out: &mut String,
    name: &str,
    suffix: &str,
    labels: &Labels,
    bound: Option<&str>,
    value: f64,
) {
    let _ = write!(out, "{name}{suffix}");
    let bound = bound.map(|bound| ("le", bound));
    let all = labels
        .iter()
        .map(|(name, value)| (*name, value.as_ref()))
        .chain(bound);
    let mut separator = '{';
    for (name, value) in all {
        let _ = write!(out, "{separator}{name}=\"{}\"", escaped(value));
        separator = ',';
    }
    if separator == ',' {
        out.push('}');
    }
    let _ = writeln!(out, " {value}");
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::telemetry::metrics::Histogram;
    use crate::telemetry::metrics::family::label;

    #[test]
    fn the_format_is_prometheus_own() {
        let histogram = Histogram::new();
        histogram.observe(Duration::from_micros(300));
        histogram.observe(Duration::from_secs(90));
        let families = [
            Family::counter("a_total", "Counts.")
                .with(label("why", "a \"quote\"\\\n"), 3u64)
                .of(4_000_000_000_000u64),
            Family::gauge("empty", "Left out."),
            Family::histogram("d_seconds", "Takes.").with(label("x", "y"), &histogram),
        ];
        let page = page(&families);
        let lines: Vec<&str> = page.lines().collect();
        assert_eq!(
            lines[..6],
            [
                "# HELP a_total Counts.",
                "# TYPE a_total counter",
                r#"a_total{why="a \"quote\"\\\n"} 3"#,
                "a_total 4000000000000",
                "# HELP d_seconds Takes.",
                "# TYPE d_seconds histogram",
            ]
        );
        for expected in [
            r#"d_seconds_bucket{x="y",le="0.0001"} 0"#,
            r#"d_seconds_bucket{x="y",le="0.0005"} 1"#,
            r#"d_seconds_bucket{x="y",le="10"} 1"#,
            r#"d_seconds_bucket{x="y",le="+Inf"} 2"#,
            r#"d_seconds_sum{x="y"} 90.0003"#,
            r#"d_seconds_count{x="y"} 2"#,
        ] {
            assert!(lines.contains(&expected), "{expected} in\n{page}");
        }
    }
}
