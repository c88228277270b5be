//! The binaries of a process. In: `debug_meta.images` of an event. Out: which of them an address belongs to, and where in it.

use super::debug_file::canonical;
use super::{DebugFiles, Found};
use crate::protocol::json::{Json, Object};

/// Images of one event that are looked at.
const MOST: usize = 2_000;

/// A binary in the memory of the process.
pub(super) struct Image {
    /// Where it stands in the list, which relative addresses name.
    position: usize,
    start: u64,
    /// 0 where it is not known.
    size: u64,
    pub debug_id: String,
    /// Its file, for people.
    pub name: String,
    symbols: Option<Found>,
}

impl Image {
    /// Its symbols; looked up once.
    pub fn symbols(&mut self, files: &dyn DebugFiles) -> Found {
        let id = &self.debug_id;
        self.symbols.get_or_insert_with(|| files.find(id)).clone()
    }
}

/// `0x7f3a`, or a decimal number.
pub(super) fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn number_of(value: Option<&Json<'_>>) -> Option<u64> {
    match value? {
        Json::I64(number) => u64::try_from(*number).ok(),
        Json::U64(number) => Some(*number),
        Json::Str(text) => number(text),
        _ => None,
    }
}

/// The native images of an event.
pub(super) fn images(debug_meta: &Object<'_>) -> Vec<Image> {
    let Some(Json::List(list)) = debug_meta.get("images") else {
        return Vec::new();
    };
    let objects = list.iter().enumerate().take(MOST);
    objects
        .filter_map(|(position, image)| {
            let image = image.as_object()?;
            if matches!(
                image.get_str("type"),
                Some("sourcemap" | "proguard" | "jvm")
            ) {
                return None;
            }
            let id = image
                .get_str("debug_id")
                .or_else(|| image.get_str("uuid"))
                .or_else(|| image.get_str("id"))?;
            let file = image
                .get_str("code_file")
                .or_else(|| image.get_str("debug_file"))
                .or_else(|| image.get_str("name"))
                .unwrap_or_default();
            let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
            Some(Image {
                position,
                start: number_of(image.get("image_addr"))?,
                size: number_of(image.get("image_size")).unwrap_or(0),
                debug_id: canonical(id)?,
                name: if name.is_empty() { id } else { name }.to_owned(),
                symbols: None,
            })
        })
        .collect()
}

/// The image of an address, and how far from its beginning that is. `rel:3` means the fourth image of the list.
pub(super) fn find<'i>(
    images: &'i mut [Image],
    address: u64,
    mode: Option<&str>,
) -> Option<(&'i mut Image, u64)> {
    if let Some(position) = mode.and_then(|mode| mode.strip_prefix("rel:")) {
        let position: usize = position.parse().ok()?;
        let image = images.iter_mut().find(|image| image.position == position)?;
        return Some((image, address));
    }
    let holds = |image: &Image| {
        let offset = address.checked_sub(image.start);
        offset.is_some_and(|offset| image.size == 0 || offset < image.size)
    };
    let at = (0..images.len())
        .filter(|at| holds(&images[*at]))
        .max_by_key(|at| images[*at].start)?;
    let image = &mut images[at];
    let offset = address - image.start;
    Some((image, offset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::json;

    #[test]
    fn addresses_find_their_image() {
        let text = br#"{"images":[{"type":"proguard","uuid":"1f0e6c0e-54d3-4a8e-9c15-0a6cf2a2b1d0"},
            {"type":"elf","image_addr":"0x1000","image_size":256,"debug_id":"83afbdf8-c331-5037-bddf-0b088950a56a","code_file":"/srv/shop"},
            {"type":"macho","image_addr":8192,"uuid":"dfb8e43a-f242-3d73-a453-aeb6a777ef75","name":"Shop"},
            {"type":"elf","image_addr":"x"}, null]}"#;
        let Ok(Json::Object(meta)) = json::parse(text) else {
            panic!("an object")
        };
        let mut images = images(&meta);
        let mut found = |address, mode| {
            find(&mut images, address, mode).map(|(image, offset)| (image.name.clone(), offset))
        };
        assert_eq!(found(0x1010, None), Some(("shop".to_owned(), 0x10)));
        assert_eq!(found(0x1100, None), None);
        assert_eq!(found(0x2001, Some("abs")), Some(("Shop".to_owned(), 1)));
        assert_eq!(found(0x40, Some("rel:1")), Some(("shop".to_owned(), 0x40)));
        assert_eq!(found(0x40, Some("rel:0")), None);
        assert_eq!(found(5, None), None);
        assert_eq!(
            (number("0xFF"), number("12"), number("-1")),
            (Some(255), Some(12), None)
        );
    }
}
