//! Fetching what is public. In: an address that somebody else chose, and bounds. Out: what stands there, unpacked, in the caller's file; at
//! most as many bytes and as much time as the bounds say, over all redirects.
//!
//! Every hop is resolved and checked anew, and nothing of an earlier call goes along: no cookies, no credentials.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use flate2::read::MultiGzDecoder;
use ureq::http::HeaderMap;
use url::Url;

use super::{Client, OutgoingError, agent, explain};

const MOST_HOPS: usize = 5;

/// What a call may use.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Of the content, unpacked.
    pub most_bytes: u64,
    pub until: Instant,
}

/// What the last of the servers said.
#[derive(Debug, Clone)]
pub struct Got {
    pub status: u16,
    pub headers: HeaderMap,
    /// Where the redirects ended.
    pub url: Url,
    /// Bytes that were written.
    pub size: u64,
}

impl Got {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Client {
    /// Fetches what stands at an address. The content of anything but success is not read.
    pub fn get(
        &self,
        url: &str,
        into: &mut dyn Write,
        bounds: Bounds,
    ) -> Result<Got, OutgoingError> {
        let began = Instant::now();
        let late = || OutgoingError::Late {
            seconds: (bounds.until - began).as_secs(),
        };
        let mut url = Url::parse(url).map_err(|_| OutgoingError::Scheme)?;
        for _ in 0..=MOST_HOPS {
            check(&url)?;
            url.set_fragment(None);
            let left = left(bounds.until).ok_or_else(late)?;
            // One of its own for each hop, so that nothing that a server sets is sent anywhere.
            let answer = agent(self.reach.clone(), self.trusted())
                .get(url.as_str())
                .config()
                .timeout_global(Some(left))
                .build()
                .header("accept-encoding", "gzip")
                .call()
                .map_err(|error| match explain(error) {
                    OutgoingError::TooSlow => late(),
                    other => other,
                })?;
            let (parts, body) = answer.into_parts();
            let mut got = Got {
                status: parts.status.as_u16(),
                headers: parts.headers,
                url: url.clone(),
                size: 0,
            };
            match got.status {
                200..=299 => {
                    let reader = unpacked(&got, body.into_reader())?;
                    got.size = copy(reader, into, bounds, &late)?;
                    return Ok(got);
                }
                301 | 302 | 303 | 307 | 308 => {
                    let target = got.header("location");
                    url = target
                        .and_then(|target| url.join(target).ok())
                        .ok_or(OutgoingError::Redirect)?;
                }
                _ => return Ok(got),
            }
        }
        Err(OutgoingError::Redirect)
    }
}

fn left(until: Instant) -> Option<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    (!left.is_zero()).then_some(left)
}

/// What can be called at all; where it leads is checked when its name is resolved.
fn check(url: &Url) -> Result<(), OutgoingError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(OutgoingError::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(OutgoingError::Credentials);
    }
    // Below 1024 other services live, some of which take a request for a command of theirs.
    match url.port() {
        Some(port) if port < 1024 && !matches!(port, 80 | 443) => Err(OutgoingError::Port(port)),
        _ => Ok(()),
    }
}

fn unpacked(got: &Got, body: impl Read + 'static) -> Result<Box<dyn Read>, OutgoingError> {
    let encoding = got.header("content-encoding").unwrap_or_default();
    match encoding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(Box::new(body)),
        "gzip" | "x-gzip" => Ok(Box::new(MultiGzDecoder::new(body))),
        other => Err(OutgoingError::Encoding(other.chars().take(40).collect())),
    }
}

fn copy(
    mut from: Box<dyn Read>,
    into: &mut dyn Write,
    bounds: Bounds,
    late: &dyn Fn() -> OutgoingError,
) -> Result<u64, OutgoingError> {
    let mut buffer = vec![0; 64 * 1024];
    let mut size = 0_u64;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(size),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) if left(bounds.until).is_none() => return Err(late()),
            Err(error) => return Err(OutgoingError::Connection(error.to_string())),
        };
        size += read as u64;
        if size > bounds.most_bytes {
            return Err(OutgoingError::TooLarge {
                most: bounds.most_bytes,
            });
        }
        into.write_all(&buffer[..read])
            .map_err(|error| OutgoingError::NotKept(error.to_string()))?;
        if left(bounds.until).is_none() {
            return Err(late());
        }
    }
}

#[cfg(test)]
mod tests;
