//! In: a method, an address, headers and bytes. Out: status, headers and body exactly as the server gave them,
//! redirects and error statuses included.

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    asked: String,
}

impl Response {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {self}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("header values are ASCII"))
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.text().chars().take(2_000).collect();
        write!(
            f,
            "{} answered {} {:?}\n{text}",
            self.asked, self.status, self.headers
        )
    }
}

/// A client that shows everything: no redirects, no errors out of statuses.
pub fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .allow_non_standard_methods(true)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into()
}

pub type Headers<'a> = &'a [(&'a str, &'a str)];

pub fn send(
    agent: &Agent,
    method: &str,
    url: &str,
    headers: Headers<'_>,
    body: Option<&[u8]>,
) -> Result<Response, ureq::Error> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = match body {
        Some(body) => agent.run(request.body(body).expect("a test's request is well formed")),
        None => agent.run(request.body(()).expect("a test's request is well formed")),
    }?;
    read(answer, format!("{method} {url}"))
}

fn read(answer: ureq::http::Response<ureq::Body>, asked: String) -> Result<Response, ureq::Error> {
    let (parts, mut body) = answer.into_parts();
    Ok(Response {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.with_config().limit(64 << 20).read_to_vec()?,
        asked,
    })
}

/// The answer to a request made by hand.
pub fn answer(agent: &Agent, request: Request<impl ureq::AsSendBody>) -> Response {
    let asked = format!("{} {}", request.method(), request.uri());
    let answer = agent
        .run(request)
        .and_then(|answer| read(answer, asked.clone()));
    answer.unwrap_or_else(|error| panic!("{asked}: {error}"))
}

/// Nobody in particular: no key, no token, no session.
#[derive(Clone)]
pub struct Anonymous {
    agent: Agent,
    base: String,
}

impl Anonymous {
    pub fn new(base: &str) -> Self {
        Self {
            agent: agent(),
            base: base.to_owned(),
        }
    }

    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: Headers<'_>,
        body: Option<&[u8]>,
    ) -> Response {
        send(
            &self.agent,
            method,
            &format!("{}{path}", self.base),
            headers,
            body,
        )
        .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    pub fn get(&self, path: &str) -> Response {
        self.request("GET", path, &[], None)
    }

    pub fn post(&self, path: &str, headers: Headers<'_>, body: &[u8]) -> Response {
        self.request("POST", path, headers, Some(body))
    }
}
