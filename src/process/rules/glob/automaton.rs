//! All places of a pattern at which a text may be, as bits that move together: one step for each character, whatever
//! the stars allow.
//! In: tokens. Out: whether a text gets from the first place to the last.

use super::Mode;
use super::pattern::{Class, Token};

/// Enough for the longest pattern, whose every byte may be a token.
const MOST_WORDS: usize = super::LONGEST / 64 + 1;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Automaton {
    mode: Mode,
    /// How many tokens are stepped over one by one; the last place comes after them.
    steps: usize,
    words: usize,
    /// Places that a text may stay at, whatever comes.
    stays: Vec<u64>,
    /// Places that it may stay at until the folder ends.
    stays_in_folder: Vec<u64>,
    /// Places that it may leave at once when it comes there.
    leaves: Vec<u64>,
    /// For each ASCII character, which of the rows of `allowed` is its own.
    rows: Box<[u8; 128]>,
    /// Rows of places that may be left with some character.
    allowed: Vec<u64>,
    /// What other characters look at.
    any: Vec<u64>,
    letters: Vec<(char, u16)>,
    classes: Vec<(Class, usize)>,
}

impl Automaton {
    /// Nothing if there are too many tokens.
    pub fn new(tokens: &[Token], mode: Mode) -> Option<Self> {
        let words = tokens.len() / 64 + 1;
        if words > MOST_WORDS {
            return None;
        }
        let none = vec![0; words];
        let mut new = Self {
            mode,
            steps: 0,
            words,
            stays: none.clone(),
            stays_in_folder: none.clone(),
            leaves: none.clone(),
            rows: Box::new([0; 128]),
            allowed: Vec::new(),
            any: none,
            letters: Vec::new(),
            classes: Vec::new(),
        };
        for token in tokens {
            new.add(token);
        }
        new.letters.sort_unstable();
        new.tabulate();
        Some(new)
    }

    fn add(&mut self, token: &Token) {
        let here = self.steps;
        match token {
            Token::Anything => return set(&mut self.stays, here),
            Token::WithinFolder => return set(&mut self.stays_in_folder, here),
            Token::Folders => {
                set(&mut self.stays, here);
                set(&mut self.leaves, here);
                self.letters.push(('/', here as u16));
            }
            Token::Char(c) => self.letters.push((*c, here as u16)),
            Token::One => set(&mut self.any, here),
            Token::Class(class) => self.classes.push((class.clone(), here)),
        }
        self.steps += 1;
    }

    /// Works out the rows of the ASCII characters, most of which are the same.
    fn tabulate(&mut self) {
        let mut row = [0; MOST_WORDS];
        for c in 0..128_u8 {
            self.look_up(char::from(c), &mut row);
            let row = &row[..self.words];
            let mut known = self.allowed.chunks(self.words);
            let at = known.position(|known| known == row).unwrap_or_else(|| {
                self.allowed.extend_from_slice(row);
                self.allowed.len() / self.words - 1
            });
            self.rows[usize::from(c)] = at as u8;
        }
    }

    /// Which places may be left with this character.
    fn look_up(&self, c: char, row: &mut [u64; MOST_WORDS]) {
        row[..self.words].copy_from_slice(&self.any);
        for (class, at) in &self.classes {
            if class.contains(c, self.mode) {
                set(row, *at);
            }
        }
        if self.mode.is_path() && c == '/' {
            row.fill(0);
        }
        let from = self.letters.partition_point(|(letter, _)| *letter < c);
        for (_, at) in self.letters[from..]
            .iter()
            .take_while(|(letter, _)| *letter == c)
        {
            set(row, usize::from(*at));
        }
    }

    /// How much work a character is, in words and sets.
    pub fn width(&self) -> usize {
        self.words + self.classes.len()
    }

    pub fn matches(&self, text: &str) -> bool {
        let mut places = [0; MOST_WORDS];
        let mut row = [0; MOST_WORDS];
        places[0] = 1 | ((1 & self.leaves[0]) << 1);
        for c in text.chars() {
            let allowed = if c.is_ascii() {
                let at = usize::from(self.rows[c as usize]) * self.words;
                &self.allowed[at..at + self.words]
            } else {
                self.look_up(c, &mut row);
                &row[..self.words]
            };
            if !self.step(&mut places, allowed, c != '/') {
                return false;
            }
        }
        (places[self.steps / 64] >> (self.steps % 64)) & 1 == 1
    }

    /// Moves all places on by one character; says whether any is left.
    fn step(&self, places: &mut [u64; MOST_WORDS], allowed: &[u64], in_folder: bool) -> bool {
        let mut carry = 0;
        let mut carry_left = 0;
        let mut left = 0;
        for (word, allowed) in allowed.iter().enumerate() {
            let moving = places[word] & allowed;
            let mut stays = self.stays[word];
            if in_folder {
                stays |= self.stays_in_folder[word];
            }
            let entered = (moving << 1) | carry;
            // Two of these places never follow each other, so once is enough.
            let leaving = entered & self.leaves[word];
            places[word] = entered | (leaving << 1) | carry_left | (places[word] & stays);
            carry = moving >> 63;
            carry_left = leaving >> 63;
            left |= places[word];
        }
        left != 0
    }
}

fn set(places: &mut [u64], at: usize) {
    places[at / 64] |= 1 << (at % 64);
}
