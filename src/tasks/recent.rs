//! What was used lately, in memory up to a bound. In: values by their name, with their size. Out: the same, as long as they are used: the one
//! that was used longest ago goes first.

use std::collections::HashMap;

/// Values that are cheap to clone.
pub struct Recent<T> {
    entries: HashMap<String, Entry<T>>,
    bytes: usize,
    most_bytes: usize,
    uses: u64,
}

struct Entry<T> {
    value: T,
    size: usize,
    used: u64,
}

impl<T: Clone> Recent<T> {
    pub fn new(most_bytes: usize) -> Self {
        Self {
            entries: HashMap::new(),
            bytes: 0,
            most_bytes,
            uses: 0,
        }
    }

    pub fn get(&mut self, name: &str) -> Option<T> {
        self.uses += 1;
        let entry = self.entries.get_mut(name)?;
        entry.used = self.uses;
        Some(entry.value.clone())
    }

    /// Keeps a value. One that is larger than all may be is not kept.
    pub fn keep(&mut self, name: String, value: T, size: usize) {
        if size > self.most_bytes || self.entries.contains_key(&name) {
            return;
        }
        while self.bytes + size > self.most_bytes {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            let Some(oldest) = oldest.map(|(name, _)| name.clone()) else {
                break;
            };
            if let Some(entry) = self.entries.remove(&oldest) {
                self.bytes -= entry.size;
            }
        }
        self.uses += 1;
        self.bytes += size;
        let used = self.uses;
        self.entries.insert(name, Entry { value, size, used });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays() {
        let mut recent = Recent::new(10);
        for name in ["a", "b"] {
            recent.keep(name.to_owned(), name, 5);
        }
        assert_eq!(recent.get("a"), Some("a"));
        recent.keep("c".to_owned(), "c", 4);
        assert_eq!(
            (recent.get("a"), recent.get("b"), recent.get("c")),
            (Some("a"), None, Some("c"))
        );
        recent.keep("large".to_owned(), "large", 11);
        assert_eq!(recent.get("large"), None);
        assert_eq!(recent.bytes, 9);
    }
}
