//! Deploys on charts. In: what was deployed, and when. Out: marks with a title, and words for those who see no marks.

use super::{Bars, Chart};
use crate::store::release_details::DeployMark;
use crate::web::format::{plural, strftime};

/// Marks of the large chart; more would hide its bars.
const MOST_ON_CHART: usize = 30;
/// Marks of a list's row.
const MOST_ON_BARS: usize = 5;

/// A mark of the large chart, at a percentage of its width.
#[derive(Debug, Clone)]
pub struct DeployLine {
    pub x: String,
    pub title: String,
}

/// A mark of the small bars.
#[derive(Debug, Clone)]
pub struct DeployStroke {
    pub x: i64,
    pub title: String,
}

fn title(deploy: &DeployMark) -> String {
    let when = strftime(deploy.at, "%-d %b %H:%M UTC");
    format!("{} to {}, {when}", deploy.version, deploy.environment)
}

/// Those that lie within a chart, newest first.
fn within(deploys: &[DeployMark], start: i64, span: i64, most: usize) -> Vec<&DeployMark> {
    let inside = deploys
        .iter()
        .filter(|deploy| (start..start + span).contains(&deploy.at));
    inside.take(most).collect()
}

impl Chart {
    /// Marks what was deployed while it was drawn, given newest first.
    pub fn with_deploys(mut self, deploys: &[DeployMark]) -> Self {
        let shown = within(deploys, self.start, self.span, MOST_ON_CHART);
        let Some(latest) = shown.first() else {
            return self;
        };
        self.legend = format!(
            "{}: {}",
            plural(shown.len() as i64, "deploy, the last", "deploys, the last"),
            title(latest)
        );
        let place = |at: i64| (at - self.start) as f64 * 100.0 / self.span as f64;
        self.deploys = shown
            .iter()
            .map(|deploy| DeployLine {
                x: format!("{:.2}%", place(deploy.at)),
                title: format!("Deploy of {}", title(deploy)),
            })
            .collect();
        self
    }
}

impl Bars {
    /// Marks what was deployed in `span` milliseconds from `start` on, given newest first.
    pub fn with_deploys(mut self, deploys: &[DeployMark], start: i64, span: i64) -> Self {
        let shown = within(deploys, start, span, MOST_ON_BARS);
        let Some(latest) = shown.first() else {
            return self;
        };
        let words = plural(shown.len() as i64, "deploy, the last", "deploys, the last");
        self.label = format!("{}; {words} of {}", self.label, title(latest));
        self.deploys = shown
            .iter()
            .map(|deploy| DeployStroke {
                x: (deploy.at - start) * self.width as i64 / span,
                title: format!("Deploy of {}", title(deploy)),
            })
            .collect();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deploy(version: &str, at: i64) -> DeployMark {
        DeployMark {
            project_id: 1,
            version: version.to_owned(),
            environment: "production".to_owned(),
            at,
        }
    }

    #[test]
    fn deploys_are_marked_and_told() {
        let deploys = [
            deploy("shop@<3>", 9_000_000),
            deploy("shop@2", 3_600_000),
            deploy("shop@1", -1),
        ];
        let chart = Chart::new(0, 3_600_000, &[1, 2], &[]).with_deploys(&deploys);
        let html = chart.to_string();
        assert!(
            html.contains("Deploy of shop@2 to production, 1 Jan 01:00 UTC"),
            "{html}"
        );
        assert!(html.contains("x1=\"50.00%\""), "{html}");
        assert!(!html.contains("shop@1") && !html.contains("<3>"), "{html}");
        let bars = Bars::hours(&[1, 2]).with_deploys(&deploys, 0, 7_200_000);
        let html = bars.to_string();
        assert!(
            html.contains("1 deploy, the last of shop@2 to production, 1 Jan 01:00 UTC\""),
            "{html}"
        );
        assert!(html.contains("M8 0"), "{html}");
        let none = Bars::hours(&[1])
            .with_deploys(&[], 0, 3_600_000)
            .to_string();
        assert!(!none.contains("deploy"), "{none}");
    }
}
