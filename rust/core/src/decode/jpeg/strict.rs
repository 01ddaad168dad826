//! Decompression that gives a whole picture or an error.
//!
//! libjpeg fills what is missing with gray and only warns, so every warning is an error here. Some files that are
//! whole, and that every viewer opens, warn too; those are mended and decoded again, just as strictly:
//! - padding after the last scan (common from cameras),
//! - bytes between segments, and header fields with odd but harmless values,
//! - no end marker after a single scan.

use super::header::{EOI, Header, SOI, SOS, segment};
use super::turbo::{Decompressor, Failure};
use crate::Result;
use crate::decode::sniff::Format;

const APP0: u8 = 0xe0;
const APP14: u8 = 0xee;
const MOST_MENDS: usize = 3;

/// Fill `pixels` with the picture at one `reduction`-th of its size.
pub(super) fn decompress(
    data: &[u8],
    header: &Header,
    reduction: u32,
    pixels: &mut [u8],
) -> Result<()> {
    let mut attempt = |data: &[u8]| Decompressor::new(header, reduction)?.decompress(data, pixels);
    let mut mended = None;
    for _ in 0..MOST_MENDS {
        let current = mended.as_deref().unwrap_or(data);
        let Err(failure) = attempt(current) else {
            return Ok(());
        };
        mended = Some(mend(current, header, &failure).ok_or_else(|| damaged(&failure))?);
    }
    attempt(mended.as_deref().unwrap_or(data)).map_err(|failure| damaged(&failure))
}

/// The file without the harmless fault that was warned of; `None` when the fault is another one.
fn mend(data: &[u8], header: &Header, failure: &Failure) -> Option<Vec<u8>> {
    if !failure.warning {
        return None;
    }
    if failure.message.starts_with("Premature end of JPEG file") {
        return header.single_scan.then(|| [data, &[0xff, EOI]].concat());
    }
    if let Some(padding) = padding(&failure.message) {
        // Much of it is lost picture, not padding.
        return (padding <= data.len() / 16).then(|| without_padding(data, padding))?;
    }
    with_plain_header(data, header).filter(|plain| plain != data)
}

/// Number of bytes that follow the last scan, if that is what the message says.
fn padding(message: &str) -> Option<usize> {
    let (count, rest) = message
        .strip_prefix("Corrupt JPEG data: ")?
        .split_once(' ')?;
    (rest == "extraneous bytes before marker 0xd9").then(|| count.parse().ok())?
}

fn without_padding(data: &[u8], padding: usize) -> Option<Vec<u8>> {
    let mut at = 2;
    loop {
        let (marker, _, next) = segment(data, at)?;
        if marker == EOI {
            let end = next - 2;
            return Some([data.get(..end.checked_sub(padding)?)?, &data[end..]].concat());
        }
        at = next;
    }
}

/// The file with nothing between its segments, and with values that libjpeg expects where it would assume them.
fn with_plain_header(data: &[u8], header: &Header) -> Option<Vec<u8>> {
    let mut plain = vec![0xff, SOI];
    let mut at = 2;
    loop {
        let (marker, body, next) = segment(data, at)?;
        let start = plain.len() + 4;
        plain.extend([0xff, marker]);
        plain.extend(u16::try_from(body.len() + 2).ok()?.to_be_bytes());
        plain.extend(body);
        set_expected(marker, plain.get_mut(start..)?, header);
        if marker == SOS {
            plain.extend(data.get(next..)?);
            return Some(plain);
        }
        at = next;
    }
}

fn set_expected(marker: u8, body: &mut [u8], header: &Header) {
    match (marker, body) {
        (APP0, [b'J', b'F', b'I', b'F', 0, version, ..]) => *version = 1,
        (
            APP14,
            [
                b'A',
                b'd',
                b'o',
                b'b',
                b'e',
                _,
                _,
                _,
                _,
                _,
                _,
                transform,
                ..,
            ],
        ) => {
            let usual = if header.components.len() == 4 { 2 } else { 1 };
            if !matches!(*transform, 0..=2) {
                *transform = usual;
            }
        }
        (SOS, [.., first, last, approximation]) if header.single_scan => {
            (*first, *last, *approximation) = (0, 63, 0);
        }
        _ => {}
    }
}

fn damaged(failure: &Failure) -> crate::Error {
    Format::Jpeg.damaged(&failure.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_follows_the_last_scan_is_padding() {
        assert_eq!(
            padding("Corrupt JPEG data: 12 extraneous bytes before marker 0xd9"),
            Some(12)
        );
        assert_eq!(
            padding("Corrupt JPEG data: 12 extraneous bytes before marker 0xda"),
            None
        );
        assert_eq!(
            padding("Corrupt JPEG data: premature end of data segment"),
            None
        );
    }

    #[test]
    fn padding_is_cut_out_before_the_end_marker() {
        let file = [0xff, SOI, 0xff, SOS, 0, 2, 1, 2, 0, 0, 0, 0xff, EOI, 9];
        let cut = without_padding(&file, 3).unwrap_or_default();
        assert_eq!(cut, [0xff, SOI, 0xff, SOS, 0, 2, 1, 2, 0xff, EOI, 9]);
    }
}
