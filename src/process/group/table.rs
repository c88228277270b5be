//! Tables of texts that are searched in a few steps, however long they are.
//! In: a sorted list, and a name. Out: whether the list holds the name, or a beginning of it.

/// A sorted list without empty texts, with the place where the texts of each first byte begin. Most names that are
/// looked for have no text with their first byte at all.
pub(super) struct Table {
    texts: &'static [&'static str],
    starts: [u16; 257],
}

impl Table {
    pub const fn new(texts: &'static [&'static str]) -> Self {
        let mut starts = [0; 257];
        let mut first = 0;
        let mut at = 0;
        while first < 256 {
            while at < texts.len() && (texts[at].as_bytes()[0] as usize) < first {
                at += 1;
            }
            starts[first] = at as u16;
            first += 1;
        }
        starts[256] = texts.len() as u16;
        Self { texts, starts }
    }

    /// The texts that begin with the same byte.
    fn alike(&self, name: &str) -> &[&'static str] {
        let Some(first) = name.as_bytes().first() else {
            return &[];
        };
        let first = usize::from(*first);
        &self.texts[usize::from(self.starts[first])..usize::from(self.starts[first + 1])]
    }

    pub fn holds(&self, name: &str) -> bool {
        self.alike(name).binary_search(&name).is_ok()
    }

    /// Whether the name begins with one of the texts, none of which may begin with another. Then only the greatest
    /// that is not greater than the name comes into question: what stands between the name and a beginning of it
    /// begins alike.
    pub fn holds_beginning_of(&self, name: &str) -> bool {
        let alike = self.alike(name);
        let after = alike.partition_point(|text| *text <= name);
        after > 0 && name.starts_with(alike[after - 1])
    }
}

#[cfg(test)]
impl Table {
    pub fn assert_sorted(&self) {
        for pair in self.texts.windows(2) {
            assert!(pair[0] < pair[1], "{} before {}", pair[0], pair[1]);
        }
        assert!(self.texts.iter().all(|text| self.holds(text)));
    }

    pub fn assert_beginnings(&self) {
        self.assert_sorted();
        for pair in self.texts.windows(2) {
            assert!(!pair[1].starts_with(pair[0]), "{} in {}", pair[0], pair[1]);
        }
        assert!(self.texts.iter().all(|text| self.holds_beginning_of(text)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_walk_through_the_list_finds() {
        const TEXTS: [&str; 6] = ["$x", "a.", "b", "java.", "javax.", "zé"];
        static TABLE: Table = Table::new(&TEXTS);
        TABLE.assert_beginnings();
        for name in [
            "", "$", "$x", "a", "a.", "a.b", "b", "bc", "c", "java", "java.x", "javaa", "javax.y",
            "zz", "zéro", "é", "~", "\u{ff}",
        ] {
            let walked = TEXTS.iter().any(|text| name.starts_with(text));
            assert_eq!(TABLE.holds_beginning_of(name), walked, "{name}");
            assert_eq!(TABLE.holds(name), TEXTS.contains(&name), "{name}");
        }
        assert!(!Table::new(&[]).holds("x"));
    }
}
