//! In: a mail as text. Out: its headers by name and its parts by content type, decoded.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

#[derive(Clone, Debug, Default)]
pub struct Message {
    headers: BTreeMap<String, String>,
    /// Content type without parameters, and the decoded body.
    parts: Vec<(String, String)>,
}

impl Message {
    pub fn parse(text: &str) -> Self {
        let (headers, body) = split(text);
        let mut parts = Vec::new();
        collect(&headers, body, &mut parts);
        Self { headers, parts }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(&name.to_ascii_lowercase())
            .map(String::as_str)
    }

    pub fn subject(&self) -> &str {
        self.header("subject").unwrap_or_default()
    }

    pub fn text(&self) -> &str {
        self.part("text/plain")
    }

    pub fn html(&self) -> &str {
        self.part("text/html")
    }

    fn part(&self, kind: &str) -> &str {
        let part = self.parts.iter().find(|(of, _)| of == kind);
        part.map_or_else(
            || panic!("no {kind} part in {self:#?}"),
            |(_, body)| body.as_str(),
        )
    }
}

type Headers = BTreeMap<String, String>;

fn split(text: &str) -> (Headers, &str) {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let mut headers = Headers::new();
    for line in head
        .replace("\r\n ", " ")
        .replace("\r\n\t", " ")
        .split("\r\n")
    {
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), words(value.trim()));
        }
    }
    (headers, body)
}

fn collect(headers: &Headers, body: &str, parts: &mut Vec<(String, String)>) {
    let kind = headers
        .get("content-type")
        .map_or("text/plain", String::as_str);
    let boundary = kind
        .split(';')
        .find_map(|parameter| parameter.trim().strip_prefix("boundary="));
    if let Some(boundary) = boundary {
        let separator = format!("--{}", boundary.trim_matches('"'));
        for part in body
            .split(separator.as_str())
            .skip(1)
            .filter(|part| !part.starts_with("--"))
        {
            let (headers, body) = split(part.trim_start_matches("\r\n"));
            collect(&headers, body, parts);
        }
        return;
    }
    let encoding = headers
        .get("content-transfer-encoding")
        .map_or("7bit", String::as_str);
    let decoded = match encoding.to_ascii_lowercase().as_str() {
        "base64" => decode_base64(body),
        "quoted-printable" => quoted_printable(body),
        _ => body.to_owned(),
    };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_owned();
    parts.push((kind, decoded.replace("\r\n", "\n")));
}

fn decode_base64(text: &str) -> String {
    let compact: String = text.split_whitespace().collect();
    String::from_utf8_lossy(&STANDARD.decode(compact).expect("well-formed base64")).into_owned()
}

fn quoted_printable(text: &str) -> String {
    let text = text.replace("=\r\n", "");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let pair = after
            .get(..2)
            .filter(|_| byte == b'=')
            .and_then(|pair| hex::decode(pair).ok());
        rest = if pair.is_some() { &after[2..] } else { after };
        bytes.push(pair.map_or(byte, |decoded| decoded[0]));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `=?utf-8?b?…?=` and `=?utf-8?q?…?=` of headers.
fn words(value: &str) -> String {
    let pattern =
        regex::Regex::new(r"(?i)=\?utf-8\?([bq])\?([^?]*)\?=(\s+(=\?))?").expect("a fixed pattern");
    let mut decoded = value.to_owned();
    while let Some(found) = pattern.captures(&decoded) {
        let text = match &found[1] {
            "b" | "B" => decode_base64(&found[2]),
            _ => quoted_printable(&found[2].replace('_', " ")),
        };
        let whole = found.get(0).expect("the whole match").range();
        let glue = found.get(4).map_or("", |next| next.as_str());
        decoded = format!(
            "{}{text}{glue}{}",
            &decoded[..whole.start],
            &decoded[whole.end..]
        );
    }
    decoded
}
