//! What stands behind the question mark. In: a query string. Out: values by name, repeated ones included, and the few
//! that many endpoints share.

use super::cursor::Cursor;
use super::error::ApiError;
use crate::model::search_value;

/// Rows of a page, unless fewer are asked for. More are never given.
const PAGE: i64 = 100;

pub struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    pub fn read(query: &str) -> Self {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        Self {
            pairs: pairs.into_owned().collect(),
        }
    }

    /// The last value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.pairs.iter().rev();
        found
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The last value of a name, unless it is empty.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// All values of a name that say something.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let all = self.pairs.iter();
        all.filter(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// How many rows to give; too many are quietly fewer.
    pub fn page_size(&self) -> Result<i64, ApiError> {
        let asked = self.filled("per_page").or_else(|| self.filled("limit"));
        match asked.map(str::parse::<i64>) {
            None => Ok(PAGE),
            Some(Ok(size)) => Ok(size.clamp(1, PAGE)),
            Some(Err(_)) => Err(ApiError::Invalid(
                "per_page and limit are numbers".to_owned(),
            )),
        }
    }

    /// Where to go on; an empty cursor is the beginning.
    pub fn cursor(&self) -> Result<Option<Cursor>, ApiError> {
        match self.filled("cursor") {
            None => Ok(None),
            Some(text) => match Cursor::parse(text) {
                Some(cursor) => Ok(Some(cursor)),
                None => Err(ApiError::Invalid("Invalid cursor parameter.".to_owned())),
            },
        }
    }

    /// The time asked for, from and to: `statsPeriod=14d`, or `start` and `end`.
    pub fn period(&self, now: i64) -> Result<Option<(i64, i64)>, ApiError> {
        let wrong =
            |name: &str, text: &str| Err(ApiError::Invalid(format!("{name} cannot be '{text}'")));
        if let Some(text) = self.filled("statsPeriod") {
            return match search_value::span(text) {
                Some(span) if span > 0 => Ok(Some((now.saturating_sub(span), now))),
                _ => wrong("statsPeriod", text),
            };
        }
        let mut bounds = [None, None];
        for (bound, name) in bounds.iter_mut().zip(["start", "end"]) {
            if let Some(text) = self.filled(name) {
                match search_value::moment(text) {
                    Some(moment) => *bound = Some(moment),
                    None => return wrong(name, text),
                }
            }
        }
        match bounds {
            [None, None] => Ok(None),
            [start, end] => Ok(Some((start.unwrap_or(0), end.unwrap_or(now)))),
        }
    }

    /// The query string again, without the cursor.
    pub fn without_cursor(&self) -> String {
        let others = self.pairs.iter().filter(|(key, _)| key != "cursor");
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(others)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_repeat_and_values_may_be_empty() {
        let params = Params::read("id=1&id=2&query=&cursor=&limit=10000&project=-1");
        assert_eq!(params.all("id"), ["1", "2"]);
        assert_eq!(
            (params.get("query"), params.filled("query")),
            (Some(""), None)
        );
        assert_eq!(params.cursor().expect("empty is fine"), None);
        assert_eq!(params.page_size().expect("a number"), 100);
        assert_eq!(
            params.without_cursor(),
            "id=1&id=2&query=&limit=10000&project=-1"
        );
        assert!(Params::read("per_page=x").page_size().is_err());
        assert!(Params::read("cursor=x").cursor().is_err());
    }

    #[test]
    fn periods_are_relative_or_two_times() {
        let day = 86_400_000;
        let period = |text: &str| Params::read(text).period(100 * day).ok().flatten();
        assert_eq!(period("statsPeriod=14d"), Some((86 * day, 100 * day)));
        assert_eq!(
            period("start=1970-01-02T00:00:00&end=1970-01-03T00:00:00.123456789Z"),
            Some((day, 2 * day + 123))
        );
        assert_eq!(period(""), None);
        assert!(Params::read("statsPeriod=soon").period(0).is_err());
        assert!(Params::read("start=soon").period(0).is_err());
    }
}
