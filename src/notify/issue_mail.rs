//! The mail about an issue: new, or back after it was resolved.
//! In: what the store knows of issue, project, event and recipient. Out: a multipart message, threaded by issue.

use askama::Template;
use lettre::Message;
use serde::{Deserialize, Serialize};

use super::MailError;
use super::event_excerpt::Frame;
use super::letter::{Letter, Recipient, Subject, counted, issue_link, utc};
use super::mail_config::MailConfig;
use super::one_line::one_line;

const LONGEST_TITLE: usize = 300;
const LONGEST_FACT: usize = 160;

/// Why the mail is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    New,
    /// The issue came back after it was resolved. Here and below, the number tells its first return from its second.
    Regression(i64),
    /// The issue was ignored until something was so, and it is.
    Unignored(i64),
    /// The issue happens much more often than it used to.
    Escalation(i64),
}

/// Everything a mail about an issue says. Texts are as stored; composing makes them fit for a mail.
#[derive(Debug, Clone)]
pub struct IssueMail {
    pub occasion: Occasion,
    pub about: Subject,
    pub issue_id: i64,
    pub short_id: String,
    pub title: String,
    pub culprit: String,
    pub level: &'static str,
    pub environment: Option<String>,
    pub release: Option<String>,
    pub events: i64,
    pub users: i64,
    pub first_seen_ms: i64,
    pub last_seen_ms: i64,
    pub frames: Vec<Frame>,
}

impl Occasion {
    /// The tail of unique keys and message ids: `new`, `regression-2`.
    pub fn key(self) -> String {
        match self {
            Self::New => "new".to_owned(),
            Self::Regression(count) => format!("regression-{count}"),
            Self::Unignored(count) => format!("unignored-{count}"),
            Self::Escalation(count) => format!("escalation-{count}"),
        }
    }

    fn subject_prefix(self) -> &'static str {
        match self {
            Self::New => "",
            Self::Regression(_) => "Regression: ",
            Self::Unignored(_) => "No longer ignored: ",
            Self::Escalation(_) => "Escalating: ",
        }
    }

    fn headline(self) -> &'static str {
        match self {
            Self::New => "New issue",
            Self::Regression(_) => "Regression: a resolved issue is back",
            Self::Unignored(_) => "No longer ignored: what an issue was ignored until is so",
            Self::Escalation(_) => "Escalating: an issue happens much more often than usual",
        }
    }
}

#[derive(Template)]
#[template(path = "mail/issue.txt")]
struct TextBody<'a> {
    page: &'a Page,
}

#[derive(Template)]
#[template(path = "mail/issue.html")]
struct HtmlBody<'a> {
    page: &'a Page,
}

/// What both templates show; every text is one clean line.
struct Page {
    headline: &'static str,
    title: String,
    culprit: String,
    level: &'static str,
    project: String,
    facts: Vec<(&'static str, String)>,
    frames: Vec<Frame>,
    link: String,
    why: String,
}

/// One message for one recipient. Its ids depend on issue, occasion and recipient only, so that mail servers
/// recognise a second copy and mail programs put all mails of an issue into one thread.
pub fn compose(
    mail: &IssueMail,
    to: &Recipient,
    config: &MailConfig,
    base_url: &str,
) -> Result<Message, MailError> {
    let page = page(mail, base_url);
    let text = TextBody { page: &page }.render();
    let html = HtmlBody { page: &page }.render();
    let (text, html) = (
        text.expect("writing to a String cannot fail"),
        html.expect("writing to a String cannot fail"),
    );
    Letter {
        to,
        about: &mail.about,
        subject: subject(mail),
        id: format!(
            "issue-{}-{}-{}",
            mail.issue_id,
            mail.occasion.key(),
            to.user_id
        ),
        thread: format!("issue-{}", mail.issue_id),
        text,
        html,
    }
    .into_message(config)
}

fn subject(mail: &IssueMail) -> String {
    format!(
        "{}[{}] {}",
        mail.occasion.subject_prefix(),
        mail.about.project_slug,
        mail.title
    )
}

fn page(mail: &IssueMail, base_url: &str) -> Page {
    let fact = |text: &str| one_line(text, LONGEST_FACT);
    let optional = |name, value: &Option<String>| {
        value
            .as_deref()
            .filter(|value| !value.is_empty())
            .map(|value| (name, fact(value)))
    };
    let facts = [
        Some(("Project", fact(&mail.about.project_name))),
        optional("Environment", &mail.environment),
        optional("Release", &mail.release),
        Some(("Level", mail.level.to_owned())),
        Some(("Seen", seen(mail))),
        Some(("First seen", utc(mail.first_seen_ms))),
        (mail.last_seen_ms > mail.first_seen_ms).then(|| ("Last seen", utc(mail.last_seen_ms))),
        Some(("Issue", fact(&mail.short_id))),
    ];
    Page {
        headline: mail.occasion.headline(),
        title: one_line(&mail.title, LONGEST_TITLE),
        culprit: fact(&mail.culprit),
        level: mail.level,
        project: fact(&mail.about.project_name),
        facts: facts.into_iter().flatten().collect(),
        frames: mail.frames.clone(),
        link: issue_link(base_url, &mail.about.organization_slug, mail.issue_id),
        why: format!(
            "You get this mail because you are a member of {}, to which the project {} belongs. \
             There is one mail for a new issue and one each time an issue comes back or escalates.",
            fact(&mail.about.organization_name),
            fact(&mail.about.project_name)
        ),
    }
}

fn seen(mail: &IssueMail) -> String {
    let events = counted(mail.events, "event");
    if mail.users == 0 {
        return events;
    }
    format!("{events}, {}", counted(mail.users, "user"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail() -> IssueMail {
        IssueMail {
            occasion: Occasion::New,
            about: Subject {
                organization_slug: "acme".to_owned(),
                organization_name: "Acme Inc".to_owned(),
                project_slug: "shop".to_owned(),
                project_name: "Shop".to_owned(),
            },
            issue_id: 7,
            short_id: "SHOP-7".to_owned(),
            title: "KeyError: 'price'".to_owned(),
            culprit: "checkout.cart in total".to_owned(),
            level: "error",
            environment: Some("production".to_owned()),
            release: Some("shop@1.4.2".to_owned()),
            events: 1,
            users: 2,
            first_seen_ms: 1_700_000_000_000,
            last_seen_ms: 1_700_000_000_000,
            frames: vec![Frame {
                place: "cart.py:88".to_owned(),
                function: "total".to_owned(),
                source: Some("total += item[\"price\"]".to_owned()),
            }],
        }
    }

    fn recipient() -> Recipient {
        Recipient {
            user_id: 3,
            name: "Ada, \"the\" Countess".to_owned(),
            email: "ada@example.com".to_owned(),
        }
    }

    fn composed(mail: &IssueMail) -> Message {
        let config = MailConfig::new(
            "smtp://127.0.0.1:2525",
            Some("Bugle <bugle@example.com>"),
            "https://bugle.example.com",
        )
        .expect("valid settings");
        compose(mail, &recipient(), &config, "https://bugle.example.com/").expect("composes")
    }

    fn header(message: &Message, name: &str) -> String {
        message.headers().get_raw(name).expect(name).to_owned()
    }

    #[test]
    fn the_subject_tells_project_title_and_occasion() {
        assert_eq!(
            header(&composed(&mail()), "Subject"),
            "[shop] KeyError: 'price'"
        );
        let back = IssueMail {
            occasion: Occasion::Regression(2),
            ..mail()
        };
        assert_eq!(
            header(&composed(&back), "Subject"),
            "Regression: [shop] KeyError: 'price'"
        );
    }

    #[test]
    fn one_issue_is_one_thread_and_each_mail_has_a_stable_id() {
        let first = composed(&mail());
        let back = composed(&IssueMail {
            occasion: Occasion::Regression(1),
            ..mail()
        });
        for message in [&first, &back] {
            assert_eq!(header(message, "References"), "<issue-7@bugle.example.com>");
            assert_eq!(
                header(message, "In-Reply-To"),
                "<issue-7@bugle.example.com>"
            );
            assert_eq!(
                header(message, "List-Id"),
                "\"Shop\" <shop.acme.bugle.example.com>"
            );
        }
        assert_eq!(
            header(&first, "Message-ID"),
            "<issue-7-new-3@bugle.example.com>"
        );
        assert_eq!(
            header(&back, "Message-ID"),
            "<issue-7-regression-1-3@bugle.example.com>"
        );
    }

    #[test]
    fn no_text_of_an_event_can_write_headers() {
        let attack = "x\r\nBcc: victim@example.com\r\n\r\n<h1>body".to_owned();
        let mut mail = mail();
        for text in [
            &mut mail.title,
            &mut mail.culprit,
            &mut mail.about.project_name,
            &mut mail.about.organization_name,
            &mut mail.short_id,
        ] {
            text.clone_from(&attack);
        }
        let raw = String::from_utf8(composed(&mail).formatted()).expect("ASCII");
        let (headers, _) = raw.split_once("\r\n\r\n").expect("a body");
        assert!(
            !headers
                .lines()
                .any(|line| line.to_ascii_lowercase().starts_with("bcc:")),
            "{headers}"
        );
        assert!(
            headers
                .lines()
                .any(|line| line.starts_with("Subject: [shop] x Bcc: victim@example.com")),
            "{headers}"
        );
    }

    #[test]
    fn bodies_hold_the_facts_and_markup_stays_text() {
        let mut mail = mail();
        mail.title = "Oops <img src=x onerror=alert(1)> & co".to_owned();
        let page = page(&mail, "https://bugle.example.com/");
        let html = HtmlBody { page: &page }.render().expect("renders");
        let text = TextBody { page: &page }.render().expect("renders");
        assert!(!html.contains("<img"), "{html}");
        assert!(
            text.contains("Oops <img src=x onerror=alert(1)> & co"),
            "{text}"
        );
        for body in [&html, &text] {
            for fact in [
                "production",
                "shop@1.4.2",
                "cart.py:88",
                "1 event, 2 users",
                "2023-11-14 22:13 UTC",
                "https://bugle.example.com/acme/issues/7/",
                "You get this mail because",
            ] {
                assert!(body.contains(fact), "{fact} is missing in {body}");
            }
        }
        for remote in [
            "http-equiv=\"refresh",
            "<img",
            "<link",
            "url(",
            "@import",
            "<script",
        ] {
            assert!(!html.contains(remote), "{remote}");
        }
    }

    #[test]
    fn a_broken_address_is_an_error_of_its_own() {
        let config = MailConfig::new("smtp://localhost", None, "http://localhost").expect("valid");
        let to = Recipient {
            email: "a@b\r\nBcc: c@d".to_owned(),
            ..recipient()
        };
        assert!(matches!(
            compose(&mail(), &to, &config, "http://localhost"),
            Err(MailError::Address(_))
        ));
    }
}
