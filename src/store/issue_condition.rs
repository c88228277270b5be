//! Conditions of a search as SQL. In: a query on issues and one condition. Out: the narrower query, or nothing where no
//! issue can meet it.

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::issue_list::{Boxed, lower};
use super::schema::{issue_tags, issues, projects};
use super::scope::OrgScope;
use super::{Conn, StoreError, merging::redirect};
use crate::model::issue::{FRESH_MS, Status, Substatus};
use crate::model::issue_condition::{Condition, Count, IssueName, Text, Time, Values};
use crate::model::search_value::{Comparison, Pattern};

/// Compares a number column.
macro_rules! compared {
    ($query:expr, $column:expr, $comparison:expr, $number:expr) => {
        match $comparison {
            Comparison::Is => $query.filter($column.eq($number)),
            Comparison::IsNot => $query.filter($column.ne($number)),
            Comparison::Less => $query.filter($column.lt($number)),
            Comparison::AtMost => $query.filter($column.le($number)),
            Comparison::More => $query.filter($column.gt($number)),
            Comparison::AtLeast => $query.filter($column.ge($number)),
        }
    };
}

/// Compares a text column.
macro_rules! texts {
    ($query:expr, $column:expr, $value:expr, $wanted:expr) => {
        match ($value, $wanted) {
            (Values::AnyOf(values), true) => $query.filter($column.eq_any(values.clone())),
            (Values::AnyOf(values), false) => $query.filter($column.ne_all(values.clone())),
            (Values::Like(pattern), true) => {
                $query.filter(lower($column).like(like(pattern)).escape('!'))
            }
            (Values::Like(pattern), false) => {
                $query.filter(lower($column).not_like(like(pattern)).escape('!'))
            }
        }
    };
}

/// Compares a release. An issue without one is not of that release either.
macro_rules! releases {
    ($query:expr, $column:expr, $value:expr, $wanted:expr) => {{
        let none = $column.is_null();
        let release = $column.assume_not_null();
        match ($value, $wanted) {
            (Values::AnyOf(values), true) => $query.filter(release.eq_any(values.clone())),
            (Values::AnyOf(values), false) => {
                $query.filter(none.or(release.ne_all(values.clone())))
            }
            (Values::Like(pattern), true) => {
                $query.filter(lower(release).like(like(pattern)).escape('!'))
            }
            (Values::Like(pattern), false) => {
                $query.filter(none.or(lower(release).not_like(like(pattern)).escape('!')))
            }
        }
    }};
}

/// Keeps or drops what meets an expression.
macro_rules! kept {
    ($query:expr, $expression:expr, $wanted:expr) => {
        if $wanted {
            $query.filter($expression)
        } else {
            $query.filter(not($expression))
        }
    };
}

/// Narrows a query by one condition.
pub(super) fn apply<'a>(
    conn: &mut Conn,
    scope: &OrgScope,
    query: Boxed<'a>,
    condition: &Condition,
    now: i64,
) -> Result<Option<Boxed<'a>>, StoreError> {
    Ok(Some(match condition {
        Condition::Never => return Ok(None),
        Condition::Always => query,
        Condition::Status { status, wanted } => {
            kept!(query, issues::status.eq(status.code()), *wanted)
        }
        Condition::Substatus { substatus, wanted } => in_substatus(query, *substatus, *wanted, now),
        Condition::Levels { levels, wanted } => {
            kept!(query, issues::level.eq_any(levels.clone()), *wanted)
        }
        Condition::Projects { slugs, wanted } => {
            let ids: Vec<i64> = projects::table
                .filter(projects::organization_id.eq(scope.organization_id()))
                .filter(projects::slug.eq_any(slugs.clone()))
                .select(projects::id)
                .load(conn)?;
            kept!(query, issues::project_id.eq_any(ids), *wanted)
        }
        Condition::Issues { names, wanted } => {
            let ids = issue_ids(conn, scope, names)?;
            kept!(query, issues::id.eq_any(ids), *wanted)
        }
        Condition::Count {
            count,
            comparison,
            number,
        } => match count {
            Count::Events => compared!(query, issues::times_seen, comparison, *number),
            Count::Users => compared!(query, issues::users_seen, comparison, *number),
        },
        Condition::Time {
            time,
            comparison,
            millis,
        } => match time {
            Time::FirstSeen => compared!(query, issues::first_seen, comparison, *millis),
            Time::LastSeen => compared!(query, issues::last_seen, comparison, *millis),
        },
        Condition::Text {
            text,
            value,
            wanted,
        } => in_text(query, *text, value, *wanted),
        Condition::Tag { key, value, wanted } => {
            let tagged = issue_tags::table
                .filter(issue_tags::issue_id.eq(issues::id))
                .filter(issue_tags::tag_key.eq(key.clone()));
            match value {
                Values::AnyOf(values) => {
                    let tagged = tagged.filter(issue_tags::tag_value.eq_any(values.clone()));
                    kept!(query, exists(tagged), *wanted)
                }
                Values::Like(pattern) => {
                    let value = lower(issue_tags::tag_value);
                    let tagged = tagged.filter(value.like(like(pattern)).escape('!'));
                    kept!(query, exists(tagged), *wanted)
                }
            }
        }
        Condition::HasTag { key, wanted } => {
            let tagged = issue_tags::table
                .filter(issue_tags::issue_id.eq(issues::id))
                .filter(issue_tags::tag_key.eq(key.clone()));
            kept!(query, exists(tagged), *wanted)
        }
    }))
}

/// New, regressed and escalating wear off after a while, and count as ongoing from then on.
fn in_substatus(query: Boxed<'_>, substatus: Substatus, wanted: bool, now: i64) -> Boxed<'_> {
    let since = now - FRESH_MS;
    let unresolved = issues::status.eq(Status::Unresolved.code());
    let new = issues::substatus
        .eq(Substatus::New.code())
        .and(issues::first_seen.ge(since));
    let regressed = issues::substatus
        .eq(Substatus::Regressed.code())
        .and(issues::status_changed_at.ge(since));
    let escalating = issues::substatus
        .eq(Substatus::Escalating.code())
        .and(issues::status_changed_at.ge(since));
    match substatus {
        Substatus::New => kept!(query, unresolved.and(new), wanted),
        Substatus::Regressed => kept!(query, unresolved.and(regressed), wanted),
        Substatus::Ongoing => {
            kept!(
                query,
                unresolved.and(not(new.or(regressed).or(escalating))),
                wanted
            )
        }
        Substatus::Escalating => kept!(query, unresolved.and(escalating), wanted),
        Substatus::None
        | Substatus::UntilEscalating
        | Substatus::UntilConditionMet
        | Substatus::Forever => {
            kept!(query, issues::substatus.eq(substatus.code()), wanted)
        }
    }
}

fn in_text<'a>(query: Boxed<'a>, text: Text, value: &Values, wanted: bool) -> Boxed<'a> {
    match text {
        Text::Title => texts!(query, issues::title, value, wanted),
        Text::Type => texts!(query, issues::title_type, value, wanted),
        Text::Value => texts!(query, issues::title_value, value, wanted),
        Text::Culprit => texts!(query, issues::culprit, value, wanted),
        Text::Platform => texts!(query, issues::platform, value, wanted),
        Text::Kind => texts!(query, issues::kind, value, wanted),
        Text::FirstRelease => releases!(query, issues::first_release, value, wanted),
        Text::RegressedRelease => releases!(query, issues::regressed_release, value, wanted),
    }
}

fn issue_ids(
    conn: &mut Conn,
    scope: &OrgScope,
    names: &[IssueName],
) -> Result<Vec<i64>, StoreError> {
    let mut ids = Vec::with_capacity(names.len());
    for name in names {
        ids.extend(redirect::find(conn, scope, name)?);
        match name {
            IssueName::Number(id) => ids.push(*id),
            IssueName::Short(prefix, number) => {
                let found: Vec<i64> = issues::table
                    .inner_join(projects::table.on(projects::id.eq(issues::project_id)))
                    .filter(issues::organization_id.eq(scope.organization_id()))
                    .filter(projects::short_prefix.eq(prefix))
                    .filter(issues::short_number.eq(number))
                    .select(issues::id)
                    .load(conn)?;
                ids.extend(found);
            }
        }
    }
    Ok(ids)
}

/// A pattern in the notation of LIKE, with `!` before what is meant literally.
fn like(pattern: &Pattern) -> String {
    let escaped = pattern.parts.iter().map(|part| {
        let mut text = String::with_capacity(part.len());
        for letter in part.to_lowercase().chars() {
            if matches!(letter, '%' | '_' | '!') {
                text.push('!');
            }
            text.push(letter);
        }
        text
    });
    escaped.collect::<Vec<_>>().join("%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_become_those_of_like() {
        assert_eq!(
            like(&Pattern::parse(r"*Chrome_1\**")),
            "%chrome!_1*%".to_owned()
        );
    }
}
