//! The issue list. In: a scope, a filter, an order and a place in it. Out: one page of rows with their bars, and the
//! counts of the tabs; all from rows that the digest has aggregated.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::issue_condition;
use super::schema::{environments, issue_days, issue_tags, issues, projects};
use super::scope::OrgScope;
use super::{Conn, StoreError};
use crate::model::issue::{FRESH_MS, Substatus};
use crate::model::issue_query::{Fresh, IssueFilter};

pub const DAY_MS: i64 = 86_400_000;
/// The days that a row's bars show.
pub const BAR_DAYS: usize = 14;

diesel::define_sql_function! {
    /// Databases disagree on the case of LIKE; on lower-case text they agree.
    fn lower(text: Text) -> Text;
}

/// What the rows are sorted by, the largest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    #[default]
    LastSeen,
    FirstSeen,
    Events,
    Users,
}

/// Where a page lies: after or before a row, known by its sort value and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Start,
    After(i64, i64),
    Before(i64, i64),
}

/// One row.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = issues)]
pub struct IssueRow {
    pub id: i64,
    pub project_id: i64,
    pub short_number: i64,
    pub level: i32,
    pub platform: String,
    pub title: String,
    pub title_type: String,
    pub title_value: String,
    pub culprit: String,
    pub status: i32,
    pub substatus: i32,
    pub status_changed_at: i64,
    pub first_seen: i64,
    pub last_seen: i64,
    pub times_seen: i64,
    pub users_seen: i64,
    pub is_unhandled: bool,
}

impl IssueRow {
    /// The value that `sort` orders by.
    pub fn sort_value(&self, sort: Sort) -> i64 {
        match sort {
            Sort::LastSeen => self.last_seen,
            Sort::FirstSeen => self.first_seen,
            Sort::Events => self.times_seen,
            Sort::Users => self.users_seen,
        }
    }
}

/// A page of rows, in order, and whether there are more on either side.
#[derive(Debug, Clone, Default)]
pub struct IssuePage {
    pub rows: Vec<IssueRow>,
    pub has_newer: bool,
    pub has_older: bool,
}

pub(super) type Boxed<'a> = issues::BoxedQuery<'a, <Conn as diesel::Connection>::Backend>;

/// Reads one page.
pub fn page(
    conn: &mut Conn,
    scope: &OrgScope,
    filter: &IssueFilter,
    sort: Sort,
    place: Place,
    size: i64,
    now: i64,
) -> Result<IssuePage, StoreError> {
    let Some(query) = filtered(conn, scope, filter, now)? else {
        return Ok(IssuePage::default());
    };
    let query = match (sort, place) {
        (Sort::LastSeen, place) => placed!(query, issues::last_seen, place),
        (Sort::FirstSeen, place) => placed!(query, issues::first_seen, place),
        (Sort::Events, place) => placed!(query, issues::times_seen, place),
        (Sort::Users, place) => placed!(query, issues::users_seen, place),
    };
    let mut rows: Vec<IssueRow> = query
        .limit(size + 1)
        .select(IssueRow::as_select())
        .load(conn)?;
    let more = rows.len() as i64 > size;
    rows.truncate(usize::try_from(size).unwrap_or(0));
    Ok(match place {
        Place::Start => IssuePage {
            rows,
            has_newer: false,
            has_older: more,
        },
        Place::After(..) => IssuePage {
            rows,
            has_newer: true,
            has_older: more,
        },
        Place::Before(..) => {
            rows.reverse();
            IssuePage {
                rows,
                has_newer: more,
                has_older: true,
            }
        }
    })
}

/// How many issues of a filter were first seen, or came back, after a moment; counting stops at 100.
pub fn count_since(
    conn: &mut Conn,
    scope: &OrgScope,
    filter: &IssueFilter,
    since: i64,
    now: i64,
) -> Result<i64, StoreError> {
    let Some(query) = filtered(conn, scope, filter, now)? else {
        return Ok(0);
    };
    let fresh = issues::first_seen.gt(since).or(issues::status_changed_at
        .gt(since)
        .and(issues::substatus.eq(Substatus::Regressed.code())));
    let ids: Vec<i64> = query
        .filter(fresh)
        .select(issues::id)
        .limit(100)
        .load(conn)?;
    Ok(ids.len() as i64)
}

fn filtered<'a>(
    conn: &mut Conn,
    scope: &OrgScope,
    filter: &IssueFilter,
    now: i64,
) -> Result<Option<Boxed<'a>>, StoreError> {
    if filter.impossible {
        return Ok(None);
    }
    let mut query = issues::table
        .filter(issues::organization_id.eq(scope.organization_id()))
        .into_boxed();
    if !filter.projects.is_empty() {
        let ids: Vec<i64> = projects::table
            .filter(projects::organization_id.eq(scope.organization_id()))
            .filter(projects::slug.eq_any(filter.projects.clone()))
            .select(projects::id)
            .load(conn)?;
        match ids.as_slice() {
            [] => return Ok(None),
            [only] => query = query.filter(issues::project_id.eq(*only)),
            _ => query = query.filter(issues::project_id.eq_any(ids)),
        }
    }
    if let Some(status) = filter.status {
        query = query.filter(issues::status.eq(status.code()));
    }
    if !filter.not_status.is_empty() {
        let codes: Vec<i32> = filter
            .not_status
            .iter()
            .map(|status| status.code())
            .collect();
        query = query.filter(issues::status.ne_all(codes));
    }
    match filter.fresh {
        Some(Fresh::New) => {
            query = query
                .filter(issues::substatus.eq(Substatus::New.code()))
                .filter(issues::first_seen.ge(now - FRESH_MS));
        }
        Some(Fresh::Regressed) => {
            query = query
                .filter(issues::substatus.eq(Substatus::Regressed.code()))
                .filter(issues::status_changed_at.ge(now - FRESH_MS));
        }
        None => {}
    }
    if let Some(unhandled) = filter.unhandled {
        query = query.filter(issues::is_unhandled.eq(unhandled));
    }
    if let Some(level) = filter.level {
        query = query.filter(issues::level.eq(level));
    }
    if let Some(level) = filter.min_level {
        query = query.filter(issues::level.ge(level));
    }
    if let Some(platform) = &filter.platform {
        query = query.filter(issues::platform.eq(platform.clone()));
    }
    for (key, value, wanted) in &filter.tags {
        let tagged = issue_tags::table
            .filter(issue_tags::issue_id.eq(issues::id))
            .filter(issue_tags::tag_key.eq(key.clone()))
            .filter(issue_tags::tag_value.eq(value.clone()));
        query = if *wanted {
            query.filter(diesel::dsl::exists(tagged))
        } else {
            query.filter(diesel::dsl::not(diesel::dsl::exists(tagged)))
        };
    }
    for word in &filter.words {
        let pattern = pattern(word);
        query = query.filter(
            lower(issues::title)
                .like(pattern.clone())
                .escape('!')
                .or(lower(issues::culprit).like(pattern).escape('!')),
        );
    }
    for word in &filter.missing_words {
        let pattern = pattern(word);
        query = query
            .filter(lower(issues::title).not_like(pattern.clone()).escape('!'))
            .filter(lower(issues::culprit).not_like(pattern).escape('!'));
    }
    for condition in &filter.conditions {
        query = match issue_condition::apply(conn, scope, query, condition, now)? {
            Some(narrower) => narrower,
            None => return Ok(None),
        };
    }
    Ok(Some(query))
}

/// A word anywhere in a text, its own wildcards taken literally.
fn pattern(word: &str) -> String {
    let mut pattern = String::from("%");
    for letter in word.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// When the first of the bars begins.
pub fn bars_start(now: i64) -> i64 {
    (now / DAY_MS - BAR_DAYS as i64 + 1) * DAY_MS
}

/// Events per day of each issue, the last [`BAR_DAYS`] days, today last. With an environment, of that one only.
pub fn bars(
    conn: &mut Conn,
    scope: &OrgScope,
    rows: &[IssueRow],
    environment: Option<&str>,
    now: i64,
) -> Result<HashMap<i64, [i64; BAR_DAYS]>, StoreError> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let today = now / DAY_MS;
    let first = today - BAR_DAYS as i64 + 1;
    let mut query = issue_days::table
        .filter(issue_days::issue_id.eq_any(ids))
        .filter(issue_days::day.ge(first))
        .select((issue_days::issue_id, issue_days::day, issue_days::events))
        .into_boxed();
    if let Some(name) = environment {
        query =
            query.filter(issue_days::environment_id.eq_any(environment_ids(conn, scope, name)?));
    }
    let counts: Vec<(i64, i64, i64)> = query.load(conn)?;
    let mut bars: HashMap<i64, [i64; BAR_DAYS]> = HashMap::new();
    for (issue, day, events) in counts {
        if let Some(bar) = usize::try_from(day - first)
            .ok()
            .filter(|at| *at < BAR_DAYS)
        {
            bars.entry(issue).or_insert([0; BAR_DAYS])[bar] += events;
        }
    }
    Ok(bars)
}

fn environment_ids(conn: &mut Conn, scope: &OrgScope, name: &str) -> Result<Vec<i64>, StoreError> {
    Ok(environments::table
        .inner_join(projects::table.on(projects::id.eq(environments::project_id)))
        .filter(projects::organization_id.eq(scope.organization_id()))
        .filter(environments::name.eq(name))
        .select(environments::id)
        .load(conn)?)
}

/// Narrows a query to one side of a row and orders it; the id decides between equal values.
macro_rules! placed {
    ($query:expr, $column:expr, $place:expr) => {
        match $place {
            Place::Start => $query.order(($column.desc(), issues::id.desc())),
            Place::After(value, id) => $query
                .filter(
                    $column
                        .lt(value)
                        .or($column.eq(value).and(issues::id.lt(id))),
                )
                .order(($column.desc(), issues::id.desc())),
            Place::Before(value, id) => $query
                .filter(
                    $column
                        .gt(value)
                        .or($column.eq(value).and(issues::id.gt(id))),
                )
                .order(($column.asc(), issues::id.asc())),
        }
    };
}
use placed;

#[cfg(test)]
mod tests {
    use super::super::issue_fixture::{Fixture, NOW};
    use super::*;
    use crate::model::issue_query::IssueQuery;

    fn ids(fixture: &mut Fixture, query: &str, sort: Sort, place: Place, size: i64) -> Vec<i64> {
        let filter = IssueQuery::parse(query).filter();
        let found = page(
            &mut fixture.conn,
            &fixture.acme,
            &filter,
            sort,
            place,
            size,
            NOW,
        );
        found
            .expect("a page")
            .rows
            .iter()
            .map(|row| row.id)
            .collect()
    }

    #[test]
    fn wildcards_of_a_word_are_letters() {
        assert_eq!(pattern("100%_A!"), "%100!%!_a!!%");
    }

    #[test]
    fn a_query_finds_its_issues_and_no_others() {
        let mut fixture = Fixture::new();
        let mut found = |query: &str| ids(&mut fixture, query, Sort::LastSeen, Place::Start, 50);
        assert_eq!(found(""), [1, 2, 3, 4, 5]);
        assert_eq!(found("is:unresolved is:unhandled"), [2, 4]);
        assert_eq!(
            found("!is:resolved project:shop level:>=warning"),
            [1, 2, 3, 4, 5]
        );
        assert_eq!(found("KEYERROR3"), [3]);
        assert_eq!(found("50%_off cart.total"), [] as [i64; 0]);
        assert_eq!(found("50%_off shop.cart"), [1, 2, 3, 4, 5]);
        assert_eq!(found("!keyerror1"), [2, 3, 4, 5]);
        assert_eq!(found("is:new"), [1, 2, 3, 4, 5]);
        for nothing in [
            "is:resolved",
            "is:odd",
            "project:theirs",
            "level:fatal",
            "release:1",
            "5%%off",
        ] {
            assert!(found(nothing).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn pages_follow_each_other_in_both_directions() {
        let mut fixture = Fixture::new();
        assert_eq!(ids(&mut fixture, "", Sort::Users, Place::Start, 2), [5, 4]);
        assert_eq!(
            ids(&mut fixture, "", Sort::Users, Place::After(4, 4), 2),
            [3, 2]
        );
        assert_eq!(
            ids(&mut fixture, "", Sort::Users, Place::Before(2, 2), 2),
            [4, 3]
        );
        // All have seven events: the id decides.
        assert_eq!(
            ids(&mut fixture, "", Sort::Events, Place::After(7, 3), 9),
            [2, 1]
        );
        let filter = IssueQuery::parse("").filter();
        let last = page(
            &mut fixture.conn,
            &fixture.acme,
            &filter,
            Sort::Users,
            Place::After(3, 3),
            2,
            NOW,
        )
        .expect("a page");
        assert_eq!(
            (last.has_newer, last.has_older, last.rows.len()),
            (true, false, 2)
        );
    }

    #[test]
    fn what_came_in_since_is_counted() {
        let mut fixture = Fixture::new();
        let filter = IssueQuery::parse("is:unresolved").filter();
        let since = NOW - 150_000;
        let count = count_since(&mut fixture.conn, &fixture.acme, &filter, since, NOW);
        assert_eq!(count.expect("a count"), 2);
    }
}
