//! How many different ones there were. In: 64-bit hashes, in any order and as often as one likes. Out: their number: exact
//! up to [`EXACT`], then an estimate with a standard error of 2.3 %, in at most 2 KiB.
//!
//! The estimate is `HyperLogLog` (Flajolet and others, 2007) with 64-bit hashes, as Heule and others (2013) advise. Two
//! counts can be put together without counting anybody twice.

/// The registers of a sketch, as a power of two.
const PRECISION: u32 = 11;
const REGISTERS: usize = 1 << PRECISION;
/// Up to so many are kept one by one: as much as a sketch takes.
pub const EXACT: usize = REGISTERS / 8;

const LIST: u8 = 0;
const SKETCH: u8 = 1;

/// A set that forgets its members once they are many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Distinct {
    /// Sorted.
    Exact(Vec<u64>),
    Sketch(Vec<u8>),
}

impl Default for Distinct {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl Distinct {
    pub fn insert(&mut self, hash: u64) {
        match self {
            Self::Exact(members) => {
                let Err(place) = members.binary_search(&hash) else {
                    return;
                };
                members.insert(place, hash);
                if members.len() > EXACT {
                    let mut registers = vec![0; REGISTERS];
                    for member in members {
                        note(&mut registers, *member);
                    }
                    *self = Self::Sketch(registers);
                }
            }
            Self::Sketch(registers) => note(registers, hash),
        }
    }

    /// Puts another set in.
    pub fn merge(&mut self, other: &Self) {
        match (&mut *self, other) {
            (_, Self::Exact(members)) => {
                for member in members {
                    self.insert(*member);
                }
            }
            (Self::Sketch(own), Self::Sketch(others)) => {
                for (own, other) in own.iter_mut().zip(others) {
                    *own = (*own).max(*other);
                }
            }
            (Self::Exact(_), Self::Sketch(_)) => {
                let mut sketch = other.clone();
                sketch.merge(self);
                *self = sketch;
            }
        }
    }

    /// How many there are.
    pub fn count(&self) -> i64 {
        match self {
            Self::Exact(members) => members.len() as i64,
            Self::Sketch(registers) => estimate(registers),
        }
    }

    pub const fn is_exact(&self) -> bool {
        matches!(self, Self::Exact(_))
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Exact(members) => {
                let mut bytes = Vec::with_capacity(1 + members.len() * 8);
                bytes.push(LIST);
                bytes.extend(members.iter().flat_map(|member| member.to_le_bytes()));
                bytes
            }
            Self::Sketch(registers) => {
                let mut bytes = Vec::with_capacity(1 + REGISTERS);
                bytes.push(SKETCH);
                bytes.extend_from_slice(registers);
                bytes
            }
        }
    }

    /// Reads what [`Self::to_bytes`] wrote; anything else is a set without members.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        match bytes.split_first() {
            Some((&SKETCH, registers)) if registers.len() == REGISTERS => {
                Self::Sketch(registers.to_vec())
            }
            Some((&LIST, members)) => {
                let mut read = Self::default();
                for member in members.chunks_exact(8).take(EXACT) {
                    let member = member.try_into().expect("a chunk has eight bytes");
                    read.insert(u64::from_le_bytes(member));
                }
                read
            }
            _ => Self::default(),
        }
    }
}

/// The first bits choose the register; it keeps the longest run of zeros that the rest began with.
fn note(registers: &mut [u8], hash: u64) {
    let register = (hash >> (64 - PRECISION)) as usize;
    // The bit behind the last keeps the run from being longer than what is left of the hash.
    let rest = (hash << PRECISION) | (1 << (PRECISION - 1));
    let rank = rest.leading_zeros() as u8 + 1;
    registers[register] = registers[register].max(rank);
}

fn estimate(registers: &[u8]) -> i64 {
    let count = registers.len() as f64;
    let sum: f64 = registers
        .iter()
        .map(|rank| f64::powi(2.0, -i32::from(*rank)))
        .sum();
    let raw = 0.7213 / (1.0 + 1.079 / count) * count * count / sum;
    let empty = registers
        .iter()
        .map(|rank| i32::from(*rank == 0))
        .sum::<i32>();
    let estimate = if raw <= 2.5 * count && empty > 0 {
        count * (count / f64::from(empty)).ln()
    } else {
        raw
    };
    estimate.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use md5::{Digest, Md5};
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn hash(number: u64) -> u64 {
        let digest: [u8; 16] = Md5::digest(number.to_le_bytes()).into();
        u64::from_le_bytes(digest[..8].try_into().expect("eight bytes"))
    }

    #[test]
    fn estimates_are_near_the_truth() {
        let mut distinct = Distinct::default();
        for number in 0..200_000u64 {
            distinct.insert(hash(number));
            let seen = number as i64 + 1;
            if matches!(seen, 257 | 1_000 | 5_000 | 10_000 | 50_000 | 200_000) {
                let counted = distinct.count();
                let off = (counted - seen).abs() as f64 / seen as f64;
                assert!(off < 0.07, "{counted} for {seen}");
            }
        }
        assert_eq!(distinct.to_bytes().len(), 1 + REGISTERS);
    }

    proptest! {
        #[test]
        fn few_are_counted_exactly_and_unions_count_nobody_twice(one in proptest::collection::vec(0u64..150, 0..200),
                                                                  two in proptest::collection::vec(0u64..150, 0..200)) {
            let set = |numbers: &[u64]| {
                let mut set = Distinct::default();
                for number in numbers { set.insert(hash(*number)); }
                set
            };
            let (mut first, second) = (set(&one), set(&two));
            prop_assert_eq!(first.count(), one.iter().collect::<HashSet<_>>().len() as i64);
            first.merge(&second);
            let both: HashSet<u64> = one.iter().chain(&two).copied().collect();
            prop_assert_eq!(first.count(), both.len() as i64);
            prop_assert_eq!(Distinct::from_bytes(&first.to_bytes()), first);
        }

        #[test]
        fn a_union_is_the_same_in_any_order(from in 0u64..1000, many in 0u64..800, more in 0u64..800) {
            let set = |range: std::ops::Range<u64>| {
                let mut set = Distinct::default();
                for number in range { set.insert(hash(number)); }
                set
            };
            let (one, two) = (set(from..from + many), set(from + many / 2..from + many + more));
            let (mut left, mut right) = (one.clone(), two.clone());
            left.merge(&two);
            right.merge(&one);
            prop_assert_eq!(&left, &right);
            prop_assert_eq!(left, set(from..(from + many).max(from + many + more)));
        }

        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>) {
            let _ = Distinct::from_bytes(&bytes).count();
        }
    }
}
