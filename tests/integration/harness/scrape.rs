//! In: a page in Prometheus' text format. Out: its samples by name and labels, once the page is known to be well formed.

use std::collections::{BTreeMap, BTreeSet};

use super::App;
use super::http::Response;

pub const TOKEN: &str = "scraping-is-fine-with-this";

/// Samples by series as it is written: `name{label="value"}`.
#[derive(Debug)]
pub struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    /// From the main address, with the token of [`TOKEN`].
    #[track_caller]
    pub fn of(app: &App) -> Self {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [("authorization", bearer.as_str())];
        let answer = app.anonymous().request("GET", "/metrics", &headers, None);
        Self::read(&answer.expect(200))
    }

    #[track_caller]
    pub fn read(answer: &Response) -> Self {
        assert_eq!(
            answer.header("content-type"),
            Some("text/plain; version=0.0.4; charset=utf-8")
        );
        let mut samples = BTreeMap::new();
        let mut declared = BTreeSet::new();
        for line in answer.text().lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let name = rest.split(' ').next().expect("a name");
                assert!(declared.insert(name.to_owned()), "{name} is declared twice");
                continue;
            }
            if line.starts_with("# HELP ") {
                continue;
            }
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let value: f64 = value.parse().expect("a number");
            let name = series.split('{').next().expect("a name");
            let base = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffix| name.strip_suffix(suffix))
                .filter(|base| declared.contains(*base))
                .unwrap_or(name);
            assert!(declared.contains(base), "{name} has no type");
            let before = samples.insert(series.to_owned(), value);
            assert!(before.is_none(), "{series} stands there twice");
        }
        Self(samples)
    }

    pub fn find(&self, series: &str) -> Option<f64> {
        self.0.get(series).copied()
    }

    #[track_caller]
    pub fn value(&self, series: &str) -> f64 {
        self.find(series)
            .unwrap_or_else(|| panic!("no {series} in {:#?}", self.0.keys()))
    }
}
