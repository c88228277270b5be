//! What a file is, told by its first bytes and never by what a sender says. In: bytes. Out: what a browser may safely show of it.

/// How a file may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A picture that browsers draw without running anything.
    Picture(&'static str),
    Text,
    Other,
}

impl FileKind {
    pub fn of(bytes: &[u8]) -> Self {
        let picture = |media_type| Self::Picture(media_type);
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            return picture("image/png");
        }
        if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
            return picture("image/jpeg");
        }
        if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
            return picture("image/gif");
        }
        if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            return picture("image/webp");
        }
        let is_text = |text: &str| !text.contains('\0');
        if std::str::from_utf8(bytes).is_ok_and(is_text) {
            return Self::Text;
        }
        Self::Other
    }

    /// What its name promises, before its bytes are there.
    pub fn promised(name: &str) -> Self {
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        match ending.to_ascii_lowercase().as_str() {
            "png" => Self::Picture("image/png"),
            "jpg" | "jpeg" => Self::Picture("image/jpeg"),
            "gif" => Self::Picture("image/gif"),
            "webp" => Self::Picture("image/webp"),
            "txt" | "log" | "json" | "csv" | "xml" | "yml" | "yaml" | "md" | "ini" | "toml" => {
                Self::Text
            }
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_say_what_a_file_is() {
        assert_eq!(
            FileKind::of(b"\x89PNG\r\n\x1a\n..."),
            FileKind::Picture("image/png")
        );
        assert_eq!(
            FileKind::of(b"GIF89a<script>"),
            FileKind::Picture("image/gif")
        );
        assert_eq!(
            FileKind::of(b"RIFF\0\0\0\0WEBPVP8 "),
            FileKind::Picture("image/webp")
        );
        assert_eq!(FileKind::of(b"<svg onload=alert(1)>"), FileKind::Text);
        assert_eq!(FileKind::of("zwei Stück".as_bytes()), FileKind::Text);
        assert_eq!(FileKind::of(b"a\0b"), FileKind::Other);
        assert_eq!(FileKind::of(&[0x80, 0x81]), FileKind::Other);
        assert_eq!(FileKind::promised("shop.LOG"), FileKind::Text);
        assert_eq!(FileKind::promised("page.svg"), FileKind::Other);
    }
}
