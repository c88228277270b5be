//! Addresses of the issue list. In: query, order and place. Out: the address of the page that shows them, and back.

use crate::model::issue_query::IssueQuery;
use crate::store::issue_list::{Place, Sort};

/// What the address of a list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListAddress {
    pub query: IssueQuery,
    pub sort: Sort,
    pub place: Place,
}

/// Shown where nobody asked for anything.
const DEFAULT_QUERY: &str = "is:unresolved";

pub const SORTS: [(Sort, &str, &str); 4] = [
    (Sort::LastSeen, "last", "last seen"),
    (Sort::FirstSeen, "first", "first seen"),
    (Sort::Events, "events", "events"),
    (Sort::Users, "users", "users"),
];

impl ListAddress {
    /// Reads the query part of an address. `terms` are the chips of the search form, `query` what was typed.
    pub fn parse(query_string: &str) -> Self {
        let (mut terms, mut query) = (None::<String>, None::<String>);
        let (mut sort, mut place) = (Sort::default(), Place::Start);
        for (key, value) in url::form_urlencoded::parse(query_string.as_bytes()) {
            match key.as_ref() {
                "terms" => terms = Some(value.into_owned()),
                "query" => query = Some(value.into_owned()),
                "sort" => {
                    sort = SORTS
                        .iter()
                        .find(|(_, word, _)| *word == value)
                        .map_or(sort, |(sort, ..)| *sort);
                }
                "after" => {
                    place = position(&value).map_or(place, |(value, id)| Place::After(value, id));
                }
                "before" => {
                    place = position(&value).map_or(place, |(value, id)| Place::Before(value, id));
                }
                _ => {}
            }
        }
        let text = match (terms, query) {
            (None, None) => DEFAULT_QUERY.to_owned(),
            (terms, query) => format!(
                "{} {}",
                terms.unwrap_or_default(),
                query.unwrap_or_default()
            ),
        };
        Self {
            query: IssueQuery::parse(&text),
            sort,
            place,
        }
    }

    /// The address of this list, without a place: from its start.
    pub fn link(&self, organization: &str) -> String {
        self.placed(organization, Place::Start)
    }

    /// The address of another page of this list.
    pub fn placed(&self, organization: &str, place: Place) -> String {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        let query = self.query.to_string();
        if query != DEFAULT_QUERY {
            pairs.append_pair("query", &query);
        }
        if self.sort != Sort::default() {
            pairs.append_pair("sort", self.sort_word());
        }
        match place {
            Place::Start => {}
            Place::After(value, id) => {
                pairs.append_pair("after", &format!("{value}.{id}"));
            }
            Place::Before(value, id) => {
                pairs.append_pair("before", &format!("{value}.{id}"));
            }
        }
        let pairs = pairs.finish();
        let question = if pairs.is_empty() { "" } else { "?" };
        format!("/{organization}/issues/{question}{pairs}")
    }

    /// The same list for another query.
    pub fn with_query(&self, organization: &str, query: IssueQuery) -> String {
        Self {
            query,
            sort: self.sort,
            place: Place::Start,
        }
        .link(organization)
    }

    /// The same list in another order.
    pub fn with_sort(&self, organization: &str, sort: Sort) -> String {
        Self {
            query: self.query.clone(),
            sort,
            place: Place::Start,
        }
        .link(organization)
    }

    pub fn sort_word(&self) -> &'static str {
        SORTS
            .iter()
            .find(|(sort, ..)| *sort == self.sort)
            .map_or("last", |(_, word, _)| word)
    }

    pub fn sort_name(&self) -> &'static str {
        SORTS
            .iter()
            .find(|(sort, ..)| *sort == self.sort)
            .map_or("last seen", |(.., name)| name)
    }
}

fn position(text: &str) -> Option<(i64, i64)> {
    let (value, id) = text.split_once('.')?;
    Some((value.parse().ok()?, id.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_go_both_ways() {
        let address = ListAddress::parse("query=is%3Aresolved+price&sort=events&after=12.7");
        assert_eq!(address.query.to_string(), "is:resolved price");
        assert_eq!(
            (address.sort, address.place),
            (Sort::Events, Place::After(12, 7))
        );
        assert_eq!(
            address.placed("acme", address.place),
            "/acme/issues/?query=is%3Aresolved+price&sort=events&after=12.7"
        );
        assert_eq!(ListAddress::parse("").link("acme"), "/acme/issues/");
        assert_eq!(
            ListAddress::parse("query=").link("acme"),
            "/acme/issues/?query="
        );
        assert_eq!(
            ListAddress::parse("terms=is:new&query=is:resolved+x")
                .query
                .to_string(),
            "is:resolved x"
        );
        assert_eq!(
            ListAddress::parse("sort=odd&after=x").link("acme"),
            "/acme/issues/"
        );
    }
}
