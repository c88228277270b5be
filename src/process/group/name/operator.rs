//! Operators of C++, whose names look like brackets, types or several words.
//! In: a name and where `operator` stands in it. Out: the operator's name and where it ends.

use super::brackets::group_end;

/// The longest first.
const SYMBOLS: [&str; 42] = [
    "<=>", "->*", "<<=", ">>=", "()", "[]", "<<", ">>", "<=", ">=", "->", "==", "!=", "&&", "||",
    "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<", ">", "+", "-", "*", "/", "%",
    "&", "|", "^", "~", "!", "=", ",", "new[]", "delete[]", "\"\"",
];

const WORD: &str = "operator";

/// The operator that is written with signs, if `operator` stands at `at` and one follows.
pub(super) fn symbol(text: &str, at: usize) -> Option<(&'static str, usize)> {
    let after = text.get(at..)?.strip_prefix(WORD)?;
    let signs = after.strip_prefix(' ').unwrap_or(after);
    let symbol = SYMBOLS.iter().find(|symbol| signs.starts_with(**symbol))?;
    Some((symbol, text.len() - signs.len() + symbol.len()))
}

/// Any operator at `at` with its name as it is written without template arguments, and where it ends.
pub(super) fn operator(text: &str, at: usize) -> Option<(String, usize)> {
    if let Some((symbol, end)) = symbol(text, at) {
        return Some(with_symbol(text, symbol, end));
    }
    let after = text.get(at..)?.strip_prefix(WORD)?;
    // Of conversions the name is a type, up to the parameter list: `operator std::string const&`.
    let start = text.len() - after.strip_prefix(' ')?.len();
    let mut name = format!("{WORD} ");
    let mut here = start;
    for (offset, c) in text[start..].char_indices() {
        let offset = start + offset;
        if offset < here {
            continue;
        }
        here = offset + c.len_utf8();
        match c {
            '(' => {
                here = offset;
                break;
            }
            '<' => here = group_end(text, offset).unwrap_or(text.len()),
            _ => name.push(c),
        }
    }
    name.truncate(name.trim_end().len());
    Some((name, here))
}

fn with_symbol(text: &str, symbol: &str, end: usize) -> (String, usize) {
    match symbol {
        "new[]" | "delete[]" => (format!("{WORD} {symbol}"), end),
        // The suffix is the name: `operator"" _kg`.
        "\"\"" => {
            let suffix = text[end..].trim_start();
            let length = suffix
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(suffix.len());
            let end = text.len() - suffix.len() + length;
            (format!("{WORD}\"\"{}", &suffix[..length]), end)
        }
        _ => (format!("{WORD}{symbol}"), end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_end_before_arguments() {
        for (text, name, rest) in [
            ("operator<(A, B)", "operator<", "(A, B)"),
            ("operator<< <char>(A)", "operator<<", " <char>(A)"),
            ("operator<=>(A)", "operator<=>", "(A)"),
            ("operator()(int) const", "operator()", "(int) const"),
            ("operator->*()", "operator->*", "()"),
            (
                "operator new[](unsigned long)",
                "operator new[]",
                "(unsigned long)",
            ),
            (
                "operator new(unsigned long)",
                "operator new",
                "(unsigned long)",
            ),
            ("operator\"\" _kg(double)", "operator\"\"_kg", "(double)"),
            ("operator bool() const", "operator bool", "() const"),
            (
                "operator std::vector<int, A<int> >*()",
                "operator std::vector*",
                "()",
            ),
            ("operator unsigned int", "operator unsigned int", ""),
        ] {
            let (found, end) = operator(text, 0).expect("an operator");
            assert_eq!((found.as_str(), &text[end..]), (name, rest), "{text}");
        }
        assert_eq!(operator("operators()", 0), None);
        assert_eq!(operator("operator", 0), None);
    }
}
