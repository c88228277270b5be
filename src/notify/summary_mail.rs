//! One mail for an hour with too many new issues to write about each.
//! In: the issues of the hour, the most frequent first. Out: a multipart message to one recipient.

use askama::Template;
use lettre::Message;

use super::MailError;
use super::letter::{Letter, Recipient, Subject, counted, issue_link, utc};
use super::mail_config::MailConfig;
use super::one_line::one_line;

const HOUR_MS: i64 = 60 * 60 * 1000;
const LONGEST_TEXT: usize = 160;

/// What the mail says. Texts are as stored; composing makes them fit for a mail.
#[derive(Debug, Clone)]
pub struct SummaryMail {
    pub about: Subject,
    pub project_id: i64,
    /// Hours since 1970.
    pub hour: i64,
    /// How many mails about single issues a project has in an hour.
    pub single_mails: i64,
    pub total: i64,
    pub issues: Vec<SummaryIssue>,
}

#[derive(Debug, Clone)]
pub struct SummaryIssue {
    pub id: i64,
    pub short_id: String,
    pub title: String,
    pub culprit: String,
    pub level: &'static str,
    pub is_regression: bool,
    pub events: i64,
}

#[derive(Template)]
#[template(path = "mail/summary.txt")]
struct TextBody<'a> {
    page: &'a Page,
}

#[derive(Template)]
#[template(path = "mail/summary.html")]
struct HtmlBody<'a> {
    page: &'a Page,
}

/// What both templates show; every text is one clean line.
struct Page {
    headline: String,
    period: String,
    intro: String,
    rows: Vec<Row>,
    more: Option<String>,
    why: String,
}

struct Row {
    title: String,
    note: String,
    level: &'static str,
    link: String,
}

pub fn compose(
    mail: &SummaryMail,
    to: &Recipient,
    config: &MailConfig,
    base_url: &str,
) -> Result<Message, MailError> {
    let page = page(mail, base_url);
    let text = TextBody { page: &page }.render();
    let html = HtmlBody { page: &page }.render();
    let id = format!("summary-{}-{}", mail.project_id, mail.hour);
    Letter {
        to,
        about: &mail.about,
        subject: format!("[{}] {}", mail.about.project_slug, page.headline),
        id: format!("{id}-{}", to.user_id),
        thread: id,
        text: text.expect("writing to a String cannot fail"),
        html: html.expect("writing to a String cannot fail"),
    }
    .into_message(config)
}

fn page(mail: &SummaryMail, base_url: &str) -> Page {
    let project = one_line(&mail.about.project_name, LONGEST_TEXT);
    let rest = mail.total - mail.issues.len() as i64;
    Page {
        headline: format!("{} new or back in one hour", counted(mail.total, "issue")),
        period: format!("{project}, the hour from {}", utc(mail.hour * HOUR_MS)),
        intro: format!(
            "There were more than {} occasions to write, so the others come in this one mail. The most frequent first:",
            mail.single_mails
        ),
        rows: mail
            .issues
            .iter()
            .map(|issue| row(issue, &mail.about.organization_slug, base_url))
            .collect(),
        more: (rest > 0).then(|| format!("And {}.", counted(rest, "more issue"))),
        why: format!(
            "You get this mail because you are a member of {}, to which the project {project} belongs.",
            one_line(&mail.about.organization_name, LONGEST_TEXT)
        ),
    }
}

fn row(issue: &SummaryIssue, organization_slug: &str, base_url: &str) -> Row {
    let state = if issue.is_regression {
        "regression"
    } else {
        "new"
    };
    let parts = [
        one_line(&issue.short_id, LONGEST_TEXT),
        state.to_owned(),
        counted(issue.events, "event"),
        one_line(&issue.culprit, LONGEST_TEXT),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Row {
        title: one_line(&issue.title, LONGEST_TEXT),
        note: parts.join(" · "),
        level: issue.level,
        link: issue_link(base_url, organization_slug, issue.id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_the_first_and_counts_the_rest() {
        let mail = SummaryMail {
            about: Subject {
                organization_slug: "acme".to_owned(),
                organization_name: "Acme".to_owned(),
                project_slug: "shop".to_owned(),
                project_name: "Shop".to_owned(),
            },
            project_id: 5,
            hour: 472_222,
            single_mails: 60,
            total: 312,
            issues: vec![SummaryIssue {
                id: 7,
                short_id: "SHOP-7".to_owned(),
                title: "Oops <b>\r\nBcc: x@example.com".to_owned(),
                culprit: "cart".to_owned(),
                level: "error",
                is_regression: true,
                events: 9,
            }],
        };
        let page = page(&mail, "https://bugle.example.com");
        let html = HtmlBody { page: &page }.render().expect("renders");
        let text = TextBody { page: &page }.render().expect("renders");
        assert!(!html.contains("<b>"));
        for body in [&html, &text] {
            for fact in [
                "312 issues new or back in one hour",
                "2023-11-14 22:00 UTC",
                "SHOP-7 · regression · 9 events · cart",
                "https://bugle.example.com/acme/issues/7/",
                "And 311 more issues.",
            ] {
                assert!(body.contains(fact), "{fact} is missing in {body}");
            }
        }
        let to = Recipient {
            user_id: 3,
            name: String::new(),
            email: "ada@example.com".to_owned(),
        };
        let config = MailConfig::new("smtp://localhost", None, "https://bugle.example.com")
            .expect("valid settings");
        let message = compose(&mail, &to, &config, "https://bugle.example.com").expect("composes");
        assert_eq!(
            message.headers().get_raw("Subject"),
            Some("[shop] 312 issues new or back in one hour")
        );
    }
}
