//! Pages of a list. In: a cursor as clients send it back. Out: a place in the list, and the Link header with both
//! neighbours, which every list has.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::Value;

use super::error::ApiError;
use super::params::Params;

/// `value:offset:is_previous`. What value and offset mean is up to the list; clients do not look inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub value: i64,
    pub offset: i64,
    pub backwards: bool,
}

impl Cursor {
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let value = parts.next()?.parse().ok()?;
        let offset = parts.next()?.parse().ok()?;
        let backwards = match parts.next()? {
            "0" => false,
            "1" => true,
            _ => return None,
        };
        match parts.next() {
            None => Some(Self {
                value,
                offset,
                backwards,
            }),
            Some(_) => None,
        }
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            value,
            offset,
            backwards,
        } = self;
        write!(f, "{value}:{offset}:{}", u8::from(*backwards))
    }
}

/// Both neighbours of a page: where they begin, and whether there is anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neighbours {
    pub previous: (Cursor, bool),
    pub next: (Cursor, bool),
}

impl Neighbours {
    /// Of a list that fits on one page.
    pub const NONE: Self = Self {
        previous: (
            Cursor {
                value: 0,
                offset: 0,
                backwards: true,
            },
            false,
        ),
        next: (
            Cursor {
                value: 0,
                offset: 0,
                backwards: false,
            },
            false,
        ),
    };

    /// The header's text; `url` is the address without the query.
    fn link(&self, url: &str, params: &Params) -> String {
        let others = params.without_cursor();
        let one = |(cursor, results): (Cursor, bool), rel: &str| {
            format!(
                "<{url}?{others}&cursor={cursor}>; rel=\"{rel}\"; results=\"{results}\"; cursor=\"{cursor}\""
            )
        };
        format!(
            "{}, {}",
            one(self.previous, "previous"),
            one(self.next, "next")
        )
    }
}

/// Answers with a page of rows. `path` is that of the request, `base_url` the server's.
pub fn page<T: Serialize>(
    base_url: &str,
    path: &str,
    params: &Params,
    neighbours: Neighbours,
    rows: &[T],
) -> HttpResponse {
    let url = format!("{base_url}{path}");
    HttpResponse::Ok()
        .insert_header((header::LINK, neighbours.link(&url, params)))
        .json(rows)
}

/// Answers with the page that a request asks for of a short list that is in memory as a whole.
pub fn page_of<T>(
    base_url: &str,
    request: &HttpRequest,
    rows: Vec<T>,
    json: impl Fn(&T) -> Value,
) -> Result<HttpResponse, ApiError> {
    let params = Params::read(request.query_string());
    let (rows, neighbours) = slice(rows, params.cursor()?, params.page_size()?);
    let rows: Vec<Value> = rows.iter().map(json).collect();
    Ok(page(base_url, request.path(), &params, neighbours, &rows))
}

/// Cuts one page out of a short list that is in memory as a whole; cursors count its rows.
pub fn slice<T>(rows: Vec<T>, cursor: Option<Cursor>, size: i64) -> (Vec<T>, Neighbours) {
    let total = rows.len() as i64;
    let from = cursor.map_or(0, |cursor| cursor.offset.clamp(0, total));
    let until = (from + size).min(total);
    let at = |offset: i64, backwards: bool| Cursor {
        value: 0,
        offset,
        backwards,
    };
    let neighbours = Neighbours {
        previous: (at((from - size).max(0), true), from > 0),
        next: (at(until, false), until < total),
    };
    let page = rows
        .into_iter()
        .skip(usize::try_from(from).unwrap_or(0))
        .take(usize::try_from(size).unwrap_or(0))
        .collect();
    (page, neighbours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_go_both_ways() {
        for text in ["0:0:0", "1767225600000:17:1", "-5:100:0"] {
            assert_eq!(Cursor::parse(text).expect("a cursor").to_string(), text);
        }
        for text in [
            "",
            "1",
            "1:2",
            "1:2:3",
            "1:2:0:0",
            "a:0:0",
            "1:2:",
            "9999999999999999999:0:0",
        ] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }

    #[test]
    fn short_lists_are_cut_into_pages() {
        let (page, neighbours) = slice((0..5).collect(), None, 2);
        assert_eq!(page, [0, 1]);
        assert!(!neighbours.previous.1 && neighbours.next.1);
        let (page, neighbours) = slice((0..5).collect(), Some(neighbours.next.0), 2);
        assert_eq!(page, [2, 3]);
        let (page, neighbours) = slice((0..5).collect(), Some(neighbours.next.0), 2);
        assert_eq!(page, [4]);
        assert!(neighbours.previous.1 && !neighbours.next.1);
        let (page, _) = slice((0..5).collect(), Some(neighbours.previous.0), 2);
        assert_eq!(page, [2, 3]);
        let odd = Cursor::parse("0:-7:0");
        assert_eq!(slice(vec![1], odd, 2).0, [1]);
    }

    #[test]
    fn the_link_keeps_the_other_parameters() {
        let params = Params::read("query=is%3Aunresolved&cursor=0:0:0&limit=5");
        let link = Neighbours::NONE.link("http://localhost:8000/api/0/x/", &params);
        assert_eq!(
            link,
            "<http://localhost:8000/api/0/x/?query=is%3Aunresolved&limit=5&cursor=0:0:1>; rel=\"previous\"; results=\"false\"; cursor=\"0:0:1\", \
             <http://localhost:8000/api/0/x/?query=is%3Aunresolved&limit=5&cursor=0:0:0>; rel=\"next\"; results=\"false\"; cursor=\"0:0:0\""
        );
    }
}
