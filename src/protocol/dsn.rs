//! A DSN names a project and its key. In: `{scheme}://{key}[:{secret}]@{host}[/{prefix}]/{project}`. Out: its parts.

use std::fmt;
use std::str::FromStr;

/// The address an SDK is configured with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dsn {
    /// Scheme, host, port and path prefix, without a trailing slash and without the key.
    pub base_url: String,
    pub public_key: String,
    pub project_id: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a DSN looks like https://KEY@bugle.example.com/1")]
pub struct InvalidDsn;

impl FromStr for Dsn {
    type Err = InvalidDsn;

    fn from_str(text: &str) -> Result<Self, InvalidDsn> {
        let url = url::Url::parse(text.trim()).map_err(|_| InvalidDsn)?;
        let host = url.host_str().ok_or(InvalidDsn)?;
        if !matches!(url.scheme(), "http" | "https") || url.username().is_empty() {
            return Err(InvalidDsn);
        }
        let (prefix, project) = url
            .path()
            .trim_end_matches('/')
            .rsplit_once('/')
            .ok_or(InvalidDsn)?;
        let port = url
            .port()
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        Ok(Self {
            base_url: format!("{}://{host}{port}{prefix}", url.scheme()),
            public_key: url.username().to_owned(),
            project_id: project.parse().map_err(|_| InvalidDsn)?,
        })
    }
}

impl fmt::Display for Dsn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self
            .base_url
            .split_once("://")
            .unwrap_or(("http", &self.base_url));
        write!(
            out,
            "{scheme}://{}@{rest}/{}",
            self.public_key, self.project_id
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dsn_is_taken_apart_and_put_together() {
        for (text, base) in [
            ("http://abc@localhost:8000/42", "http://localhost:8000"),
            (
                "https://abc@bugle.example.com/a/b/42",
                "https://bugle.example.com/a/b",
            ),
        ] {
            let dsn: Dsn = text.parse().expect(text);
            assert_eq!(
                (
                    dsn.base_url.as_str(),
                    dsn.public_key.as_str(),
                    dsn.project_id
                ),
                (base, "abc", 42)
            );
            assert_eq!(dsn.to_string(), text);
        }
        let secret: Dsn = "https://abc:secret@host/7".parse().expect("an old DSN");
        assert_eq!(secret.to_string(), "https://abc@host/7");
        for text in [
            "",
            "abc",
            "http://localhost/42",
            "ftp://abc@h/1",
            "http://abc@h/",
            "http://abc@h/x",
        ] {
            assert!(text.parse::<Dsn>().is_err(), "{text}");
        }
    }
}
