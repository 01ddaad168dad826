//! Decompression that gives a whole picture or an error.
//!
//! libjpeg fills what is missing with gray and only warns, so every warning is an error here, with three
//! exceptions for files that are whole and that every viewer opens:
//! - bytes between segments, or padding after the last scan (common from cameras),
//! - header fields with odd but harmless values,
//! - no end marker after a complete single scan.

use super::header::Header;
use super::turbo::{Decompressor, Failure};
use crate::Result;
use crate::decode::sniff::Format;

const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

/// Fill `pixels` with the picture at one `reduction`-th of its size.
pub(super) fn decompress(
    data: &[u8],
    header: &Header,
    reduction: u32,
    pixels: &mut [u8],
) -> Result<()> {
    let mut attempt = |data: &[u8], warnings| {
        Decompressor::new(header, reduction)?.decompress(data, pixels, warnings)
    };
    let Err(first) = attempt(data, Warnings::Fatal) else {
        return Ok(());
    };
    if first.is_end_missing() && header.single_scan {
        let closed = [data, &END_OF_IMAGE].concat();
        return attempt(&closed, Warnings::Fatal).map_err(damaged);
    }
    if !first.is_harmless(data.len()) {
        return Err(damaged(first));
    }
    // The last warning being the first, no other kind came between: gaps in the picture would have warned too.
    match attempt(data, Warnings::Noted) {
        Err(last) if !(last.warning && last.message == first.message) => Err(damaged(last)),
        _ => Ok(()),
    }
}

/// What becomes of a warning.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Warnings {
    /// It ends the decompression.
    Fatal,
    /// The picture is completed and the last warning returned.
    Noted,
}

impl Failure {
    fn is_end_missing(&self) -> bool {
        self.warning && self.message.starts_with("Premature end of JPEG file")
    }

    fn is_harmless(&self, bytes: usize) -> bool {
        self.warning
            && (self
                .message
                .starts_with("Unknown Adobe color transform code")
                || self
                    .message
                    .starts_with("Warning: unknown JFIF revision number")
                || self
                    .message
                    .starts_with("Invalid SOS parameters for sequential JPEG")
                || self.skipped().is_some_and(|skipped| skipped <= bytes / 16))
    }

    /// Number of bytes that were skipped in search of a marker; many of them are lost picture, not padding.
    fn skipped(&self) -> Option<usize> {
        let (count, rest) = self
            .message
            .strip_prefix("Corrupt JPEG data: ")?
            .split_once(' ')?;
        rest.starts_with("extraneous bytes")
            .then(|| count.parse().ok())?
    }
}

fn damaged(failure: Failure) -> crate::Error {
    Format::Jpeg.damaged(failure.message)
}
