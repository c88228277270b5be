//! In: paths and bodies below `/api/0/`. Out: JSON, asked with a bearer token.

use serde_json::Value;

use super::http::{Anonymous, Response};

pub struct Api {
    client: Anonymous,
    authorization: String,
}

impl Api {
    pub fn new(base: &str, token: &str) -> Self {
        Self {
            client: Anonymous::new(base),
            authorization: format!("Bearer {token}"),
        }
    }

    pub fn raw(&self, method: &str, path: &str, body: Option<&Value>) -> Response {
        let headers = [
            ("authorization", self.authorization.as_str()),
            ("content-type", "application/json"),
        ];
        let body = body.map(|value| value.to_string().into_bytes());
        self.client
            .request(method, &format!("/api/0{path}"), &headers, body.as_deref())
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.raw("GET", path, None).expect(200).json()
    }

    #[track_caller]
    pub fn list(&self, path: &str) -> Vec<Value> {
        match self.get(path) {
            Value::Array(rows) => rows,
            other => panic!("{path} is not a list: {other}"),
        }
    }

    /// Every row of a list, following the cursors of the `Link` header.
    #[track_caller]
    pub fn all(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let glue = if path.contains('?') { '&' } else { '?' };
            let answer = self
                .raw(
                    "GET",
                    &format!("{path}{glue}cursor={cursor}&per_page=100"),
                    None,
                )
                .expect(200);
            match answer.json() {
                Value::Array(page) => rows.extend(page),
                other => panic!("{path} is not a list: {other}"),
            }
            let Some(next) = next_cursor(answer.header("link").expect("a list has a Link header"))
            else {
                return rows;
            };
            assert_ne!(next, cursor, "the cursor of {path} does not move");
            cursor = next;
        }
    }

    #[track_caller]
    pub fn put(&self, path: &str, body: &Value) -> Value {
        self.raw("PUT", path, Some(body)).expect(200).json()
    }

    /// The event as the API shows it, or `None` where the project has none of that id.
    #[track_caller]
    pub fn event(&self, org: &str, project: &str, event_id: &str) -> Option<Value> {
        let answer = self.raw(
            "GET",
            &format!("/projects/{org}/{project}/events/{event_id}/"),
            None,
        );
        match answer.status {
            404 => None,
            _ => Some(answer.expect(200).json()),
        }
    }

    #[track_caller]
    pub fn issues(&self, query: &str) -> Vec<Value> {
        self.list(&format!(
            "/organizations/acme/issues/?query={}",
            encode(query)
        ))
    }
}

pub fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

pub fn next_cursor(link: &str) -> Option<String> {
    let next = link
        .split(", <")
        .find(|part| part.contains("rel=\"next\""))?;
    if !next.contains("results=\"true\"") {
        return None;
    }
    let (_, rest) = next.split_once("cursor=\"")?;
    Some(rest.split('"').next()?.to_owned())
}
