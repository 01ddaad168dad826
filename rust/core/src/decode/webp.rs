//! WebP, lossy and lossless; of an animation the first frame.

use std::io::Cursor;

use image_webp::{DecodingError, WebPDecoder};

use super::Request;
use super::exif;
use super::geometry::Size;
use super::limits::Limits;
use super::orientation::Orientation;
use super::picture::{Picture, Whole};
use super::raster::Layout;
use super::sniff::Format;
use crate::{Error, Result};

/// Decode the picture.
pub(super) fn read(data: &[u8], request: &Request, limits: &Limits) -> Result<Picture> {
    let mut decoder = WebPDecoder::new(Cursor::new(data)).map_err(failed)?;
    decoder.set_memory_limit(Limits::BUFFER as usize);
    let (width, height) = decoder.dimensions();
    let stored = Size { width, height };
    limits.check_size(stored)?;
    let layout = if decoder.has_alpha() {
        Layout::Rgba
    } else {
        Layout::Rgb
    };
    // The decoder holds the picture up to three times, once with four samples a pixel.
    Limits::check_buffer(stored.pixels() * 8)?;
    let profile = decoder.icc_profile().ok().flatten();
    let orientation = orientation(&mut decoder);
    let pitch = width as usize * layout.samples();
    let mut pixels = vec![0; pitch * height as usize];
    decoder.read_image(&mut pixels).map_err(failed)?;
    Ok(Whole {
        stored,
        layout,
        pixels,
        orientation,
        profile,
    }
    .reduced(request))
}

fn orientation(decoder: &mut WebPDecoder<Cursor<&[u8]>>) -> Orientation {
    let exif = decoder.exif_metadata().ok().flatten();
    let xmp = decoder.xmp_metadata().ok().flatten();
    exif.and_then(|block| exif::orientation(&block))
        .or_else(|| exif::xmp_orientation(&xmp?))
        .unwrap_or(Orientation::UPRIGHT)
}

fn failed(error: DecodingError) -> Error {
    match error {
        DecodingError::MemoryLimitExceeded | DecodingError::ImageTooLarge => {
            Error::ImageTooLarge("the webp picture needs more memory than allowed".into())
        }
        other => Format::WebP.damaged(other),
    }
}
