//! The format of a picture by its content.

use std::fmt;

use crate::{Error, Result};

/// Formats that are read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Format {
    Jpeg,
    Png,
    WebP,
    Gif,
    Bmp,
    Tiff,
}

impl Format {
    /// Lower-case name, as the catalog keeps it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Gif => "gif",
            Self::Bmp => "bmp",
            Self::Tiff => "tiff",
        }
    }

    /// The error for a picture of this format that cannot be decoded whole.
    pub(super) fn damaged(self, why: impl fmt::Display) -> Error {
        Error::InvalidImage(format!(
            "the {} picture is damaged or cut short: {why}",
            self.name()
        ))
    }

    /// The error for a kind of this format that is not read here.
    pub(super) fn unsupported(self, what: impl fmt::Display) -> Error {
        Error::UnsupportedImage(format!(
            "{} pictures of this kind are not supported: {what}",
            self.name()
        ))
    }
}

/// Tell the format by its first bytes.
///
/// # Errors
/// `InvalidImage` for what is plainly no picture, `UnsupportedImage` for what may be one.
pub(super) fn format(data: &[u8]) -> Result<Format> {
    match data {
        [] => Err(Error::InvalidImage("the picture is empty: 0 bytes".into())),
        [0xff, 0xd8, 0xff, ..] => Ok(Format::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Ok(Format::Png),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Ok(Format::WebP),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(Format::Gif),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Ok(Format::Tiff),
        [
            b'B',
            b'M',
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            12..=124,
            0,
            0,
            0,
            ..,
        ] => Ok(Format::Bmp),
        _ => Err(unknown(data)),
    }
}

fn unknown(data: &[u8]) -> Error {
    let head = &data[..data.len().min(512)];
    let start = head.trim_ascii_start();
    let sentence = match start {
        [b'<', ..] => "this is HTML, XML or SVG, not a photo",
        [b'%', b'P', b'D', b'F', ..] => "this is a PDF document, not a photo",
        [b'P', b'K', 3, 4, ..] => "this is an archive, not a photo",
        _ if is_text(head) => "this is text, not a photo",
        _ => return Error::UnsupportedImage("this is no picture of a known format".into()),
    };
    Error::InvalidImage(sentence.into())
}

fn is_text(head: &[u8]) -> bool {
    head.iter()
        .all(|&byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_input_is_no_picture() {
        assert!(matches!(format(b""), Err(Error::InvalidImage(_))));
    }

    #[test]
    fn a_web_page_is_no_picture() {
        let page = format(b"\n <!doctype html><html>");
        assert!(matches!(page, Err(Error::InvalidImage(said)) if said.contains("HTML")));
    }

    #[test]
    fn unknown_bytes_may_be_another_decoders_picture() {
        let heif = format(b"\0\0\0\x20ftypheic");
        assert!(matches!(heif, Err(Error::UnsupportedImage(_))));
    }

    #[test]
    fn text_that_begins_like_a_bitmap_is_text() {
        assert!(matches!(
            format(b"BMW drives past the museum"),
            Err(Error::InvalidImage(_))
        ));
    }
}
