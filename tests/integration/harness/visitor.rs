//! In: what a person without JavaScript does: open addresses, fill in and send forms. Out: the pages they see.
//! Forms are sent as they stand in the page, hidden fields included, so a page that forgot its CSRF token fails.

use std::fmt;

use regex::Regex;
use ureq::Agent;
use url::Url;

use super::http::{self, Response};

pub struct Visitor {
    agent: Agent,
    base: String,
}

pub struct Page {
    pub url: Url,
    pub response: Response,
}

#[derive(Debug, Clone)]
pub struct Form {
    pub action: String,
    pub method: String,
    pub fields: Vec<(String, String)>,
    pub html: String,
}

impl Visitor {
    pub fn new(base: &str) -> Self {
        Self {
            agent: http::agent(),
            base: base.to_owned(),
        }
    }

    /// The same browser, its cookies kept, after the server came back on another port.
    pub fn moved_to(self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self
        }
    }

    /// One request with the visitor's cookies, redirects shown as they are.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: http::Headers<'_>,
        body: Option<&[u8]>,
    ) -> Response {
        let url = Url::parse(&self.base)
            .expect("the base is a URL")
            .join(path)
            .expect("a path");
        http::send(&self.agent, method, url.as_str(), headers, body)
            .unwrap_or_else(|error| panic!("{method} {url}: {error}"))
    }

    #[track_caller]
    pub fn open(&self, path: &str) -> Page {
        self.follow("GET", path, None)
    }

    #[track_caller]
    fn follow(&self, method: &str, path: &str, body: Option<&[u8]>) -> Page {
        let mut url = Url::parse(&self.base)
            .expect("the base is a URL")
            .join(path)
            .expect("a path");
        let mut response = {
            let origin = self.base.clone();
            let form = [
                ("content-type", "application/x-www-form-urlencoded"),
                ("origin", origin.as_str()),
                ("sec-fetch-site", "same-origin"),
            ];
            self.request(
                method,
                url.as_str(),
                if body.is_some() { &form } else { &[] },
                body,
            )
        };
        for _ in 0..5 {
            if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
                return Page { url, response };
            }
            let target = response
                .header("location")
                .expect("a redirect says where to");
            url = url.join(target).expect("a redirect goes to an address");
            assert!(
                url.as_str().starts_with(&self.base),
                "a redirect to another host: {url}"
            );
            response = self.request("GET", url.as_str(), &[], None);
        }
        panic!("too many redirects, the last one to {url}");
    }

    /// Sends a form of a page with these fields filled in; a submit button counts as a field.
    #[track_caller]
    pub fn submit(&self, page: &Page, form: &Form, values: &[(&str, &str)]) -> Page {
        let mut fields = form.fields.clone();
        for (name, value) in values {
            match fields.iter_mut().find(|(of, _)| of == name) {
                Some(field) => field.1 = String::from(*value),
                None => fields.push(((*name).to_owned(), (*value).to_owned())),
            }
        }
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&fields)
            .finish();
        let target = page
            .url
            .join(&form.action)
            .expect("a form's action is an address");
        if form.method == "post" {
            return self.follow("POST", target.as_str(), Some(body.as_bytes()));
        }
        let mut target = target;
        target.set_query(Some(&body));
        self.open(target.as_str())
    }

    #[track_caller]
    pub fn sign_in(&self, email: &str, password: &str) -> Page {
        let page = self.open("/");
        let form = page.form_with("type=\"password\"");
        let shown = self.submit(&page, &form, &[("email", email), ("password", password)]);
        assert!(
            !shown.text().contains("type=\"password\""),
            "not signed in: {shown}"
        );
        shown
    }
}

impl Page {
    pub fn text(&self) -> String {
        self.response.text()
    }

    /// The words a reader sees: markup gone, entities resolved, white space collapsed.
    pub fn words(&self) -> String {
        words(&self.text())
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.response.status, status, "{self}");
        self
    }

    #[track_caller]
    pub fn shows(&self, text: &str) {
        assert!(
            self.words().contains(text),
            "the page at {} does not show {text:?}:\n{}",
            self.url,
            self.words()
        );
    }

    pub fn forms(&self) -> Vec<Form> {
        let pattern = Regex::new(r"(?is)<form\b([^>]*)>(.*?)</form>").expect("a fixed pattern");
        let html = self.text();
        pattern
            .captures_iter(&html)
            .map(|found| form(&found[1], &found[0]))
            .collect()
    }

    /// The first form in whose markup this text stands.
    #[track_caller]
    pub fn form_with(&self, text: &str) -> Form {
        let found = self
            .forms()
            .into_iter()
            .find(|form| form.html.contains(text));
        found.unwrap_or_else(|| panic!("no form with {text:?} on {self}"))
    }

    /// The form whose button bears this label, with the button's own name and value in its fields.
    #[track_caller]
    pub fn form_of_button(&self, label: &str) -> Form {
        let button = Regex::new(r"(?is)<button\b([^>]*)>(.*?)</button>").expect("a fixed pattern");
        for mut form in self.forms() {
            let html = form.html.clone();
            let Some(found) = button
                .captures_iter(&html)
                .find(|found| words(&found[2]) == label)
            else {
                continue;
            };
            if let Some(name) = attribute(&found[1], "name") {
                form.fields
                    .push((name, attribute(&found[1], "value").unwrap_or_default()));
            }
            if let Some(action) = attribute(&found[1], "formaction") {
                form.action = action;
            }
            return form;
        }
        panic!("no button {label:?} on {self}")
    }

    /// Addresses of all links.
    pub fn links(&self) -> Vec<String> {
        let pattern = Regex::new(r"(?is)<a\b([^>]*)>").expect("a fixed pattern");
        pattern
            .captures_iter(&self.text())
            .filter_map(|found| attribute(&found[1], "href"))
            .collect()
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}):\n{}",
            self.url,
            self.response.status,
            self.text()
        )
    }
}

fn form(attributes: &str, html: &str) -> Form {
    let input = Regex::new(r"(?is)<(?:input|select|textarea)\b([^>]*)>").expect("a fixed pattern");
    let mut fields = Vec::new();
    for found in input.captures_iter(html) {
        let kind = attribute(&found[1], "type").unwrap_or_default();
        let unchecked =
            matches!(kind.as_str(), "checkbox" | "radio") && !found[1].contains("checked");
        if let Some(name) = attribute(&found[1], "name").filter(|_| !unchecked && kind != "submit")
        {
            fields.push((name, attribute(&found[1], "value").unwrap_or_default()));
        }
    }
    Form {
        action: attribute(attributes, "action").unwrap_or_default(),
        method: attribute(attributes, "method")
            .unwrap_or_else(|| "get".to_owned())
            .to_ascii_lowercase(),
        fields,
        html: html.to_owned(),
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let pattern = Regex::new(&format!(
        r#"(?is)(?:^|\s){name}\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))"#
    ))
    .expect("a fixed pattern");
    let found = pattern.captures(tag)?;
    let value = found
        .get(1)
        .or_else(|| found.get(2))
        .or_else(|| found.get(3))?;
    Some(unescape(value.as_str()))
}

/// What is left of HTML for a reader.
pub fn words(html: &str) -> String {
    let hidden =
        Regex::new(r"(?is)<(script|style|template)\b.*?</(script|style|template)>|<[^>]*>")
            .expect("a fixed pattern");
    let text = unescape(&hidden.replace_all(html, " "));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn unescape(text: &str) -> String {
    let entity = Regex::new(r"&(#x?[0-9a-fA-F]+|[a-z]+);").expect("a fixed pattern");
    let resolved = entity.replace_all(text, |found: &regex::Captures<'_>| {
        let number = found[1]
            .strip_prefix('#')
            .and_then(|code| match code.strip_prefix('x') {
                Some(code) => u32::from_str_radix(code, 16).ok(),
                None => code.parse().ok(),
            });
        match (&found[1], number.and_then(char::from_u32)) {
            (_, Some(character)) => character.to_string(),
            ("lt", _) => "<".to_owned(),
            ("gt", _) => ">".to_owned(),
            ("quot", _) => "\"".to_owned(),
            ("apos", _) => "'".to_owned(),
            ("nbsp", _) => " ".to_owned(),
            ("amp", _) => "&".to_owned(),
            _ => found[0].to_owned(),
        }
    });
    resolved.into_owned()
}
