//! Stored payloads. In: the normalised event as JSON. Out: compressed bytes with a mark of how, and back.

use super::dictionaries::{self, Current};

/// The first byte of a stored payload says how to read the rest; old marks stay readable for good.
const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
/// A frame of zstd that names its dictionary in its head.
const ZSTD_WITH_DICTIONARY: u8 = 2;

pub(super) const LEVEL: i32 = 3;
/// No stored event is larger once unpacked.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Compresses payloads of one batch. Setting up a compressor costs more than compressing an event with it.
pub struct Packer<'d> {
    dictionaries: &'d Current,
    plain: Option<zstd::bulk::Compressor<'static>>,
    by_platform: Vec<(&'d str, zstd::bulk::Compressor<'d>)>,
}

impl<'d> Packer<'d> {
    pub fn new(dictionaries: &'d Current) -> Self {
        Self {
            dictionaries,
            plain: None,
            by_platform: Vec::new(),
        }
    }

    /// Compresses, with the dictionary of the platform if there is one; if that fails or does not pay, the bytes are
    /// kept plain.
    pub fn pack(&mut self, json: &[u8], platform: &str) -> Vec<u8> {
        let (mark, compressed) = match self.with_dictionary(platform) {
            Some(compressor) => (ZSTD_WITH_DICTIONARY, compress(compressor, json)),
            None => (ZSTD, self.plain().and_then(|plain| compress(plain, json))),
        };
        let (mark, body) = match &compressed {
            Some(bytes) if bytes.len() < json.len() => (mark, bytes.as_slice()),
            _ => (PLAIN, json),
        };
        let mut packed = Vec::with_capacity(body.len() + 1);
        packed.push(mark);
        packed.extend_from_slice(body);
        packed
    }

    fn with_dictionary(&mut self, platform: &str) -> Option<&mut zstd::bulk::Compressor<'d>> {
        let known = self
            .by_platform
            .iter()
            .position(|(name, _)| *name == platform);
        let at = if let Some(at) = known {
            at
        } else {
            let (name, dictionary) = self.dictionaries.get_key_value(platform)?;
            let compressor =
                zstd::bulk::Compressor::with_prepared_dictionary(dictionary.encoder()).ok()?;
            self.by_platform.push((name, compressor));
            self.by_platform.len() - 1
        };
        Some(&mut self.by_platform[at].1)
    }

    fn plain(&mut self) -> Option<&mut zstd::bulk::Compressor<'static>> {
        if self.plain.is_none() {
            self.plain = zstd::bulk::Compressor::new(LEVEL).ok();
        }
        self.plain.as_mut()
    }
}

fn compress(compressor: &mut zstd::bulk::Compressor<'_>, json: &[u8]) -> Option<Vec<u8>> {
    compressor.compress(json).ok()
}

/// The number of the dictionary that a stored payload needs; none if it needs none.
pub(super) fn dictionary_of(packed: &[u8]) -> Option<u32> {
    match packed.split_first()? {
        (&ZSTD_WITH_DICTIONARY, frame) => {
            zstd::zstd_safe::get_dict_id_from_frame(frame).map(std::num::NonZeroU32::get)
        }
        _ => None,
    }
}

/// Reads a stored payload; none if it is damaged or of a later version. Its dictionary must have been made readable, see
/// [`dictionaries::make_readable`].
pub fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let (mark, body) = packed.split_first()?;
    match *mark {
        PLAIN => Some(body.to_vec()),
        ZSTD => zstd::bulk::decompress(body, MOST_BYTES).ok(),
        ZSTD_WITH_DICTIONARY => {
            let dictionary = dictionaries::readable(dictionary_of(packed)?)?;
            zstd::bulk::Decompressor::with_prepared_dictionary(dictionary.decoder())
                .ok()?
                .decompress(body, MOST_BYTES)
                .ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_come_back() {
        let none = Current::new();
        let mut packer = Packer::new(&none);
        for json in [
            b"{}".to_vec(),
            br#"{"a":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#.repeat(50),
        ] {
            assert_eq!(unpack(&packer.pack(&json, "python")), Some(json));
        }
        assert_eq!(unpack(b""), None);
        assert_eq!(unpack(&[9, 1, 2]), None);
        assert_eq!(unpack(&[ZSTD, 1, 2]), None);
        assert_eq!(unpack(&[ZSTD_WITH_DICTIONARY, 1, 2]), None);
    }
}
