//! Dictionaries for compressing payloads, one at a time for each platform. In: stored events to learn from. Out: what new
//! payloads are compressed with, and every older one for as long as there are payloads that need it.
//!
//! A dictionary is known by the number that zstd makes of its content and writes into each frame, so that a payload
//! says itself what it needs, and no number ever means another dictionary.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, RwLock};

use diesel::prelude::*;
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use super::payload::{self, LEVEL, Packer};
use super::schema::payload_dictionaries;
use super::{Conn, StoreError, keys, now_ms};

/// Bytes of a dictionary: beyond, each kilobyte saves less than it costs in the processor's cache.
const SIZE: usize = 96 * 1024;
/// Fewer events of a platform say too little about it.
const FEWEST_SAMPLES: usize = 200;
/// Each sample that is no part of the training judges it.
const ONE_JUDGES_OF: usize = 5;
/// A new dictionary must save at least so much of what the present one leaves, in percent.
const WORTH_IT: usize = 5;

/// A dictionary ready for use.
pub struct Dictionary {
    number: u32,
    encoder: EncoderDictionary<'static>,
    decoder: DecoderDictionary<'static>,
}

impl Dictionary {
    fn new(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            number: zstd::zstd_safe::get_dict_id_from_dict(bytes)?.get(),
            encoder: EncoderDictionary::try_copy(bytes, LEVEL).ok()?,
            decoder: DecoderDictionary::try_copy(bytes).ok()?,
        })
    }

    pub(super) fn encoder(&self) -> &EncoderDictionary<'static> {
        &self.encoder
    }

    pub(super) fn decoder(&self) -> &DecoderDictionary<'static> {
        &self.decoder
    }
}

/// The dictionary that new payloads of each platform are compressed with.
pub type Current = HashMap<String, Arc<Dictionary>>;

/// The dictionaries of one database.
#[derive(Default)]
pub struct Dictionaries(RwLock<Arc<Current>>);

impl Dictionaries {
    pub fn current(&self) -> Arc<Current> {
        Arc::clone(&self.0.read().expect("no thread panics with this lock"))
    }

    pub fn replace(&self, current: Current) {
        *self.0.write().expect("no thread panics with this lock") = Arc::new(current);
    }
}

/// Every dictionary that was met, for reading. By content, so that it does not matter which database it came from.
static READABLE: LazyLock<RwLock<HashMap<u32, Arc<Dictionary>>>> = LazyLock::new(RwLock::default);

pub(super) fn readable(number: u32) -> Option<Arc<Dictionary>> {
    READABLE
        .read()
        .expect("no thread panics with this lock")
        .get(&number)
        .map(Arc::clone)
}

fn remember(dictionary: Dictionary) -> Arc<Dictionary> {
    let mut readable = READABLE.write().expect("no thread panics with this lock");
    let number = dictionary.number;
    Arc::clone(
        readable
            .entry(number)
            .or_insert_with(|| Arc::new(dictionary)),
    )
}

/// Fetches the dictionaries that stored payloads need and this process has not met yet.
pub fn make_readable<'p>(
    conn: &mut Conn,
    payloads: impl IntoIterator<Item = &'p [u8]>,
) -> Result<(), StoreError> {
    let missing: BTreeSet<u32> = payloads
        .into_iter()
        .filter_map(payload::dictionary_of)
        .filter(|number| readable(*number).is_none())
        .collect();
    for number in missing {
        let bytes: Option<Vec<u8>> = payload_dictionaries::table
            .find(i64::from(number))
            .select(payload_dictionaries::data)
            .first(conn)
            .optional()?;
        if let Some(dictionary) = bytes.as_deref().and_then(Dictionary::new) {
            drop(remember(dictionary));
        } else {
            tracing::error!(
                number,
                "a dictionary of stored payloads is missing or damaged"
            );
        }
    }
    Ok(())
}

/// The newest dictionary of each platform.
pub fn load(conn: &mut Conn) -> Result<Current, StoreError> {
    let rows: Vec<(i64, String)> = payload_dictionaries::table
        .order((payload_dictionaries::created_at, payload_dictionaries::id))
        .select((payload_dictionaries::id, payload_dictionaries::platform))
        .load(conn)?;
    let newest: HashMap<String, i64> = rows.into_iter().map(|(id, name)| (name, id)).collect();
    let mut current = Current::new();
    for (platform, id) in newest {
        let known = u32::try_from(id).ok().and_then(readable);
        let dictionary = if let Some(known) = known {
            known
        } else {
            let bytes: Vec<u8> = payload_dictionaries::table
                .find(id)
                .select(payload_dictionaries::data)
                .first(conn)?;
            let Some(dictionary) = Dictionary::new(&bytes) else {
                tracing::error!(id, platform, "a dictionary of payloads is damaged");
                continue;
            };
            remember(dictionary)
        };
        current.insert(platform, dictionary);
    }
    Ok(current)
}

/// A dictionary that was worth making.
pub struct Trained {
    bytes: Vec<u8>,
    number: u32,
    /// Bytes of all judging payloads with the dictionary, for each 1,000 with what there was.
    pub per_mille: usize,
}

/// Makes a dictionary of payloads of one platform; none if there are too few of them, or if it is no better than the
/// present one.
pub fn train(platform: &str, samples: &[Vec<u8>], current: &Current) -> Option<Trained> {
    if samples.len() < FEWEST_SAMPLES {
        return None;
    }
    let (judges, learned): (Vec<_>, Vec<_>) = samples
        .iter()
        .enumerate()
        .partition(|(at, _)| at % ONE_JUDGES_OF == 0);
    let learned: Vec<&[u8]> = learned.iter().map(|(_, json)| json.as_slice()).collect();
    let bytes = zstd::dict::from_samples(&learned, SIZE).ok()?;
    let dictionary = Dictionary::new(&bytes)?;
    let number = dictionary.number;
    let fresh = Current::from([(platform.to_owned(), Arc::new(dictionary))]);
    let size = |dictionaries: &Current| {
        let mut packer = Packer::new(dictionaries);
        let sizes = judges
            .iter()
            .map(|(_, json)| packer.pack(json, platform).len());
        sizes.sum::<usize>().max(1)
    };
    let per_mille = size(&fresh) * 1000 / size(current);
    (per_mille <= 1000 - WORTH_IT * 10).then_some(Trained {
        bytes,
        number,
        per_mille,
    })
}

/// Keeps a dictionary for good and tells all nodes.
pub fn keep(conn: &mut Conn, platform: &str, trained: &Trained) -> Result<(), StoreError> {
    let id = i64::from(trained.number);
    let known: Option<i64> = payload_dictionaries::table
        .find(id)
        .select(payload_dictionaries::id)
        .first(conn)
        .optional()?;
    if known.is_some() {
        return Ok(());
    }
    diesel::insert_into(payload_dictionaries::table)
        .values((
            payload_dictionaries::id.eq(id),
            payload_dictionaries::platform.eq(platform),
            payload_dictionaries::created_at.eq(now_ms()),
            payload_dictionaries::data.eq(&trained.bytes),
        ))
        .execute(conn)?;
    keys::touch(conn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(number: usize) -> Vec<u8> {
        let mut state = number as u64 + 1;
        let mut word = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            ["render", "price", "basket", "order", "voucher"][(state >> 33) as usize % 5]
        };
        let frames: Vec<String> = (0..20)
            .map(|_| format!(r#"{{"function":"{}_{}","in_app":true}}"#, word(), word()))
            .collect();
        format!(
            r#"{{"event_id":"{number:032x}","frames":[{}]}}"#,
            frames.join(",")
        )
        .into_bytes()
    }

    #[test]
    fn a_dictionary_saves_space_and_its_payloads_come_back() {
        let samples: Vec<Vec<u8>> = (0..400).map(sample).collect();
        let none = Current::new();
        assert!(train("python", &samples[..100], &none).is_none(), "too few");
        let trained = train("python", &samples, &none).expect("worth it");
        assert!(trained.per_mille < 900, "{}", trained.per_mille);

        let dictionary = remember(Dictionary::new(&trained.bytes).expect("a dictionary"));
        let current = Current::from([("python".to_owned(), dictionary)]);
        let json = sample(7_777);
        let packed = Packer::new(&current).pack(&json, "python");
        assert_eq!(payload::dictionary_of(&packed), Some(trained.number));
        assert_eq!(payload::unpack(&packed), Some(json.clone()));
        let other = Packer::new(&current).pack(&json, "ruby");
        assert_eq!(payload::dictionary_of(&other), None);
        assert!(packed.len() < other.len());
        assert!(
            train("python", &samples, &current).is_none(),
            "the same again is not worth it"
        );
    }
}
