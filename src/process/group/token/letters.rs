//! Tells letters of a word from letters by chance: in words some pairs of letters follow each other, others do not.
//! In: letters of one case, perhaps with a capital in front. Out: whether people would call it a word.

/// For each letter those that often follow it in English words and in names of programs. They make nine in ten of the
/// pairs there, but only two in five of the pairs of random letters.
const FOLLOWERS: [&str; 26] = [
    "bcdfgiklmnprstuvxy",     // a
    "aceijlorsu",             // b
    "acdeghiklmoprstu",       // c
    "abdeilorsu",             // d
    "abcdefgilmnopqrstuvwxy", // e
    "adefilorstu",            // f
    "aehilnorsu",             // g
    "aeiortu",                // h
    "abcdefglmnoprstvxz",     // i
    "aeosu",                  // j
    "aeis",                   // k
    "adeiklostuy",            // l
    "abeimopstu",             // m
    "acdefgiklnoprstuv",      // n
    "abcdfgiklmnoprstuvw",    // o
    "aehiloprstu",            // p
    "u",                      // q
    "acdefgiklmnoprstuvy",    // r
    "aceghiklmnoprstuy",      // s
    "acdefhilmoprstuxy",      // t
    "abcefgilmnprst",         // u
    "aeio",                   // v
    "aehinor",                // w
    "aceipt",                 // x
    "enps",                   // y
    "aeio",                   // z
];

/// The same with a bit for each follower.
const FOLLOWS: [u32; 26] = {
    let mut follows = [0; 26];
    let mut first = 0;
    while first < 26 {
        let letters = FOLLOWERS[first].as_bytes();
        let mut at = 0;
        while at < letters.len() {
            follows[first] |= 1 << (letters[at] - b'a');
            at += 1;
        }
        first += 1;
    }
    follows
};

/// Whether a pair of letters, of either case, is frequent in words.
fn is_frequent(first: u8, second: u8) -> bool {
    let place = |letter: u8| usize::from((letter | 0x20).wrapping_sub(b'a'));
    let (first, second) = (place(first), place(second));
    first < 26 && second < 26 && FOLLOWS[first] & (1 << second) != 0
}

/// How many pairs of neighbours there are, and how many of them are rare in words.
pub(super) fn rare_pairs(letters: &[u8]) -> (usize, usize) {
    let rare = letters
        .windows(2)
        .filter(|pair| !is_frequent(pair[0], pair[1]))
        .count();
    (rare, letters.len().saturating_sub(1))
}

/// Three letters and more, of whose pairs at most one in four is rare.
pub(super) fn is_wordlike(letters: &[u8]) -> bool {
    let (rare, pairs) = rare_pairs(letters);
    pairs >= 2 && rare * 4 <= pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_from_chance() {
        for word in [
            "user",
            "Object",
            "algorithm",
            "JSON",
            "check",
            "type",
            "java",
            "client",
            "timeout",
        ] {
            assert!(is_wordlike(word.as_bytes()), "{word}");
        }
        for chance in ["", "a", "xq", "kgbq", "zvxw", "Mtdg", "DBFKX", "jdzkwq"] {
            assert!(!is_wordlike(chance.as_bytes()), "{chance}");
        }
    }
}
