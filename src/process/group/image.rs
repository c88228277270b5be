//! Binaries: what is left to tell native frames apart that have no function.
//! In: one frame, and the images of its event. Out: the name of the binary, and the place in it.

use std::borrow::Cow;

use crate::process::event::Frame;
use crate::protocol::json::{Json, Object};

/// The base name of the frame's binary in lower case: without the directory and the version of a shared library,
/// and without the archive an Android library lies in (`base.apk!libshop.so`).
pub(in crate::process) fn binary<'f>(frame: &'f Frame<'_>) -> Option<Cow<'f, str>> {
    let name = binary_name(frame.package.as_deref()?);
    let base = match name.find(".so.") {
        Some(at) => &name[..at + ".so".len()],
        None => name,
    };
    if base.is_empty() || base.starts_with('<') || base == "??" {
        return None;
    }
    Some(if base.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(base.to_ascii_lowercase())
    } else {
        Cow::Borrowed(base)
    })
}

/// Without directories and archive.
pub(super) fn binary_name(package: &str) -> &str {
    let start = package
        .bytes()
        .rposition(|byte| matches!(byte, b'/' | b'\\' | b'!'));
    start.map_or(package, |at| &package[at + 1..])
}

/// How far into its image the frame stands, where the event lists the image: the same in every run of a build.
pub(in crate::process) fn offset(frame: &Frame<'_>, debug_meta: &Object<'_>) -> Option<u64> {
    let instruction = hexadecimal(frame.instruction_addr.as_deref()?)?;
    if frame
        .addr_mode
        .as_deref()
        .is_some_and(|mode| mode.starts_with("rel"))
    {
        return Some(instruction);
    }
    let Some(Json::List(images)) = debug_meta.get("images") else {
        return None;
    };
    let claimed = frame.image_addr.as_deref().and_then(hexadecimal);
    images.iter().filter_map(Json::as_object).find_map(|image| {
        let start = number(image.get("image_addr")?)?;
        let offset = instruction.checked_sub(start)?;
        let is_inside = match image.get("image_size").and_then(number) {
            Some(size) if size > 0 => offset < size,
            _ => claimed == Some(start),
        };
        is_inside.then_some(offset)
    })
}

fn number(value: &Json<'_>) -> Option<u64> {
    match value {
        Json::I64(number) => u64::try_from(*number).ok(),
        Json::U64(number) => Some(*number),
        Json::Str(text) => hexadecimal(text).or_else(|| text.parse().ok()),
        _ => None,
    }
}

fn hexadecimal(text: &str) -> Option<u64> {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))?;
    u64::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binaries() {
        for (package, expected) in [
            ("/opt/shop/bin/Shop-Desktop", Some("shop-desktop")),
            ("/lib/x86_64-linux-gnu/libc.so.6", Some("libc.so")),
            (r"C:\Windows\System32\KERNEL32.DLL", Some("kernel32.dll")),
            (
                "/data/app/~~a1==/com.example.shop/base.apk!libshop.so",
                Some("libshop.so"),
            ),
            (
                "/data/app/base.apk!lib/arm64/libshop.so",
                Some("libshop.so"),
            ),
            (
                "/private/var/containers/Bundle/Application/6B9B/Shop.app/Shop",
                Some("shop"),
            ),
            ("<unknown>", None),
            ("/opt/", None),
            ("", None),
        ] {
            let frame = Frame {
                package: Some(Cow::Borrowed(package)),
                ..Frame::default()
            };
            assert_eq!(binary(&frame).as_deref(), expected, "{package}");
        }
        assert_eq!(binary(&Frame::default()), None);
    }

    #[test]
    fn offsets_are_those_of_listed_images() {
        let meta: Json<'_> = serde_json::from_str(
            r#"{"images":[7,{"image_addr":"0x1000","image_size":256},{"image_addr":4194304},
                {"image_addr":"0x7000","image_size":"0x100"}]}"#,
        )
        .expect("JSON");
        let meta = meta.as_object().expect("an object");
        for (instruction, image, mode, expected) in [
            ("0x10ff", None, None, Some(0xff)),
            ("0x1100", None, None, None),
            ("0x7001", None, None, Some(1)),
            // Without a size the frame has to name its image.
            ("0x400010", Some("0x400000"), None, Some(0x10)),
            ("0x400010", None, None, None),
            ("0x20", None, Some("rel:0"), Some(0x20)),
            ("0x20", None, None, None),
            ("7", None, None, None),
            ("0xé", None, None, None),
        ] {
            let frame = Frame {
                instruction_addr: Some(Cow::Borrowed(instruction)),
                image_addr: image.map(Cow::Borrowed),
                addr_mode: mode.map(Cow::Borrowed),
                ..Frame::default()
            };
            assert_eq!(offset(&frame, meta), expected, "{instruction}");
        }
        assert_eq!(offset(&Frame::default(), meta), None);
        assert_eq!(offset(&Frame::default(), &Object::default()), None);
    }
}
