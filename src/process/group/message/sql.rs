//! Statements of SQL in a message: literals and bound parameters vary, and so do the lengths of lists of them.
//! In: a text. Out: whether it holds a statement, where its parameters are, and its lists as one.

use super::text::{Text, is_one_of};
use super::{Placeholder, Replacement};

/// Whether a statement starts with the word there. English has the same words, so more of them must follow.
pub(super) fn starts_statement(text: &Text<'_>, at: usize, end: usize) -> bool {
    let verb = text.slice(at, end);
    let is_shouted = verb.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_shouted && verb.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return false;
    }
    let rest = text.slice(end, text.bytes.len());
    let next = rest.split_whitespace().next().unwrap_or_default();
    let has = |word: &str| {
        rest.split([' ', '\n', '\t', '('])
            .any(|it| it.eq_ignore_ascii_case(word))
    };
    let is_statement = match verb.to_ascii_lowercase().as_str() {
        "select" => has("from"),
        "insert" | "replace" | "merge" => is_one_of(next, &["into", "ignore"]),
        "update" => has("set"),
        "delete" => next.eq_ignore_ascii_case("from"),
        _ => false,
    };
    is_statement && (is_shouted || has("where") || has("values") || has("*"))
}

/// Words that statements start with have these lengths and first letters.
pub(super) fn may_be_verb(word: &[u8]) -> bool {
    matches!(word.len(), 5..=7) && matches!(word[0] | 0x20, b's' | b'i' | b'u' | b'd' | b'm' | b'r')
}

/// `?`, `%s` and `NULL` or `TRUE` where a value stands: behind an opening bracket, a comma or a sign of comparison.
pub(super) fn parameter(text: &Text<'_>, at: usize) -> Option<Replacement> {
    let end = match text.byte(at) {
        b'?' => at + 1,
        b'%' if text.byte(at + 1) == b's' => at + 2,
        b'N' | b'T' | b'F' | b'D' => {
            let end = text.word_end(at);
            let word = text.slice(at, end);
            is_one_of(word, &["null", "true", "false", "default"]).then_some(end)?
        }
        _ => return None,
    };
    let is_value_before = |byte| matches!(byte, b'(' | b',' | b'=');
    let blank = text.before_blanks(at);
    let closes = matches!(text.byte(end), 0 | b' ' | b')' | b',' | b';' | b'\n' | b']');
    (is_value_before(text.before(blank)) && closes).then(|| Replacement::value(at, end))
}

/// Rows of values, of which there may be any number, become one: `(<value>), (<value>)`.
pub(super) fn join_rows(text: &mut String) {
    let row = format!("({})", Placeholder::Value.text());
    if text.matches(row.as_str()).nth(1).is_none() {
        return;
    }
    let mut joined = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(found) = rest.find(row.as_str()) {
        let (before, after) = rest.split_at(found + row.len());
        joined.push_str(before);
        rest = after;
        while let Some(next) = rest
            .strip_prefix(',')
            .map(str::trim_start)
            .and_then(|rest| rest.strip_prefix(row.as_str()))
        {
            rest = next;
        }
    }
    joined.push_str(rest);
    *text = joined;
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_apart, assert_kept, assert_same};

    #[test]
    fn literals_and_the_lengths_of_lists_vary() {
        assert_same(&[
            (
                &[
                    "SELECT * FROM t WHERE id IN (1, 2, 3) AND n = 'x'",
                    "SELECT * FROM t WHERE id IN (1) AND n = 'it''s'",
                    "SELECT * FROM t WHERE id IN ('a', 'b') AND n = 5",
                    "SELECT * FROM t WHERE id IN (?, ?) AND n = ?",
                    "SELECT * FROM t WHERE id IN (%s,%s,%s) AND n = %s",
                    "SELECT * FROM t WHERE id IN ($1, $2) AND n = $3",
                    "SELECT * FROM t WHERE id IN (NULL) AND n = TRUE",
                ],
                "SELECT * FROM t WHERE id IN (<value>) AND n = <value>",
            ),
            (
                &[
                    "INSERT INTO t (a, b) VALUES (1, 'a'), (2, NULL)",
                    "INSERT INTO t (a, b) VALUES (5, 'b')",
                    "INSERT INTO t (a, b) VALUES (%s, %s),(%s, %s), (%s, %s)",
                ],
                "INSERT INTO t (a, b) VALUES (<value>)",
            ),
            (
                &[
                    "update t set a = 'x' where id = 5",
                    "update t set a = 'y' where id = 6",
                ],
                "update t set a = <value> where id = <value>",
            ),
            (
                &[
                    "(OperationalError) gone\n[SQL: DELETE FROM t WHERE id = 5]",
                    "(OperationalError) gone\n[SQL: DELETE FROM t WHERE id = 6]",
                ],
                "(OperationalError) gone\n[SQL: DELETE FROM t WHERE id = <value>]",
            ),
        ]);
        assert_apart(&[
            ("SELECT a FROM t WHERE x = 1", "SELECT a FROM t WHERE y = 1"),
            (
                "DELETE FROM a WHERE x = NULL",
                "DELETE FROM a WHERE x IS NULL",
            ),
        ]);
    }

    #[test]
    fn english_is_no_sql() {
        assert_kept(&[
            "Failed to update order, 'email' was set",
            "Could not delete 'admins' from list",
            "Select 'x' from the list",
            "UPDATE of 'x' failed?",
        ]);
    }
}
