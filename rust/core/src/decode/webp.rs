//! WebP, lossy and lossless; of an animation the first frame.

use std::io::Cursor;

use image_webp::{DecodingError, WebPDecoder};

use super::Request;
use super::exif;
use super::geometry::Size;
use super::limits::Limits;
use super::orientation::Orientation;
use super::picture::{Picture, Plan};
use super::raster::{Layout, MOST_REDUCTION, Rows};
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
    let profile = decoder.icc_profile().ok().flatten();
    let exif = decoder.exif_metadata().ok().flatten();
    let orientation = exif.map_or(Orientation::UPRIGHT, |block| exif::orientation(&block));
    let pitch = width as usize * layout.samples();
    let mut pixels = vec![0; pitch * height as usize];
    decoder.read_image(&mut pixels).map_err(failed)?;
    let plan = Plan::new(stored, orientation, request, MOST_REDUCTION);
    let mut rows = Rows::new(stored, layout, plan.reduction);
    pixels.chunks_exact(pitch).for_each(|row| rows.push(row));
    let raster = rows.finish();
    Ok(Picture {
        raster,
        stored,
        reduction: plan.reduction,
        origin: (0, 0),
        orientation,
        profile,
    })
}

fn failed(error: DecodingError) -> Error {
    match error {
        DecodingError::MemoryLimitExceeded | DecodingError::ImageTooLarge => {
            Error::ImageTooLarge("the webp picture needs more memory than allowed".into())
        }
        other => Format::WebP.damaged(other),
    }
}
