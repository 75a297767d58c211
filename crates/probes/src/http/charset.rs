//! From a body's bytes to text, as far as the web still needs it: UTF-8, the Latin of the West, and UTF-16.
//!
//! A byte order mark outweighs what the header says, as in browsers (Encoding standard §6.1), and is no part of the text.
//! Other encodings are read as UTF-8, with replacement characters where they are not.

use std::borrow::Cow;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    Utf8,
    /// Also what is called ISO 8859-1 or ASCII (Encoding standard §4.2).
    Windows1252,
    Utf16Le,
    Utf16Be,
}

impl Charset {
    /// Of a Content-Type, such as `text/html; charset=iso-8859-1` (RFC 9110 §8.3.1).
    pub(crate) fn of(content_type: Option<&str>) -> Self {
        let parameters = content_type.unwrap_or_default().split(';').skip(1);
        let mut named = parameters.filter_map(|parameter| parameter.split_once('='));
        let named = named.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
        let label = named.map_or("", |(_, value)| value.trim().trim_matches('"'));
        match label.to_ascii_lowercase().as_str() {
            "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" | "l1" | "windows-1252" | "cp1252" | "x-cp1252"
            | "us-ascii" | "ascii" => Self::Windows1252,
            "utf-16" | "utf-16le" => Self::Utf16Le,
            "utf-16be" => Self::Utf16Be,
            _ => Self::Utf8,
        }
    }

    /// The encoding that a mark at the start tells of, or else this one, and what follows the mark.
    pub(crate) fn behind_mark(self, bytes: &[u8]) -> (Self, &[u8]) {
        match bytes {
            [0xef, 0xbb, 0xbf, text @ ..] => (Self::Utf8, text),
            [0xff, 0xfe, text @ ..] => (Self::Utf16Le, text),
            [0xfe, 0xff, text @ ..] => (Self::Utf16Be, text),
            text => (self, text),
        }
    }

    pub(crate) fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self.behind_mark(bytes) {
            (Self::Utf8, text) => String::from_utf8_lossy(text),
            (Self::Windows1252, text) => text.iter().copied().map(windows_1252).collect(),
            (Self::Utf16Le, text) => utf16(text, u16::from_le_bytes),
            (Self::Utf16Be, text) => utf16(text, u16::from_be_bytes),
        }
    }
}

fn utf16(text: &[u8], unit: fn([u8; 2]) -> u16) -> Cow<'_, str> {
    let units = text.as_chunks().0.iter().map(|pair| unit(*pair));
    char::decode_utf16(units).map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Encoding standard, index windows-1252; beyond these 32 it is Latin-1.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_reads_as_its_header_or_its_mark_says() {
        for (content_type, bytes, text) in [
            (None, &b"gr\xc3\xb6\xc3\x9fer"[..], "größer"),
            (Some("text/html; charset=ISO-8859-1"), b"gr\xf6\xdfer", "größer"),
            (Some("text/html;x=1;Charset=\"windows-1252\""), b"5 \x80 \x96", "5 € –"),
            (Some("text/plain; charset=utf-16"), b"a\0\xe9\0", "aé"),
            (Some("text/plain; charset=utf-16be"), b"\0a\0\xe9", "aé"),
            (Some("text/html; charset=iso-8859-1"), b"\xef\xbb\xbf\xc3\xb6", "ö"),
            (None, b"\xff\xfea\0", "a"),
            (Some("text/html; charset=koi8-r"), b"\xf0", "\u{fffd}"),
        ] {
            assert_eq!(Charset::of(content_type).decode(bytes), text, "{content_type:?} {bytes:?}");
        }
    }
}
