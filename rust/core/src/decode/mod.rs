//! From the bytes of a picture to the square an engine takes, and a preview, in one decode.
//!
//! Headers are read first and held against [`Limits`] before anything is allocated. A picture is decoded at the
//! lowest resolution that still serves (JPEG in the DCT domain, the rest by averaging rows as they come), then
//! resized once, converted to sRGB while it is small, and turned upright.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Error, Result};

mod bmp;
mod color;
mod exif;
mod geometry;
mod gif;
mod jpeg;
mod limits;
mod orientation;
mod picture;
mod png;
mod raster;
mod render;
mod resize;
mod sniff;
mod tiff;
mod webp;

pub use geometry::{Fit, Region, Size, crop_region, preview_size};
pub use limits::Limits;
pub use orientation::Orientation;
pub use sniff::Format;

use picture::Picture;

/// What to make of a picture.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Edge of the square, pixels; at least 1.
    pub side: u32,
    /// How the picture becomes a square.
    pub fit: Fit,
    /// Longest side of the preview, pixels; 0 makes none. A picture is never enlarged for it.
    pub preview_side: u32,
    /// One channel of luma instead of RGB.
    pub preview_gray: bool,
}

/// A whole picture, smaller: interleaved 8-bit samples in rows from the top.
#[derive(Debug)]
pub struct Preview {
    /// `height * width * channels` samples.
    pub pixels: Vec<u8>,
    /// Of the preview.
    pub size: Size,
    /// 1 for luma, 3 for sRGB.
    pub channels: usize,
}

/// What [`decode`] makes.
#[derive(Debug)]
pub struct Decoded {
    /// `side * side * 3` sRGB samples in rows from the top.
    pub pixels: Vec<u8>,
    /// `None` when none was asked for.
    pub preview: Option<Preview>,
    /// Of the whole picture, upright.
    pub size: Size,
    /// As the content says; names and types given elsewhere are not trusted.
    pub format: Format,
}

/// Decode a picture whole or not at all.
///
/// # Errors
/// `InvalidImage` for anything that is no picture, or a damaged or truncated one; `ImageTooLarge` when a limit is
/// exceeded; `UnsupportedImage` when it may be a picture but of a kind that is not read here; `BadRequest` for a
/// side of 0 or above 8192.
pub fn decode(data: &[u8], request: &Request, limits: &Limits) -> Result<Decoded> {
    check_request(request)?;
    limits.check_bytes(data.len())?;
    let format = sniff::format(data)?;
    // A decoder that panics has met bytes its authors did not foresee: the picture is at fault, not the process.
    catch_unwind(AssertUnwindSafe(|| {
        let picture = read(format, data, request, limits)?;
        render::render(&picture, request, format)
    }))
    .unwrap_or_else(|_| Err(format.damaged("its decoder gave up")))
}

fn read(format: Format, data: &[u8], request: &Request, limits: &Limits) -> Result<Picture> {
    match format {
        Format::Jpeg => jpeg::read(data, request, limits),
        Format::Png => png::read(data, request, limits),
        Format::WebP => webp::read(data, request, limits),
        Format::Gif => gif::read(data, request, limits),
        Format::Bmp => bmp::read(data, request, limits),
        Format::Tiff => tiff::read(data, request, limits),
    }
}

fn check_request(request: &Request) -> Result<()> {
    const MOST: u32 = 8192;
    if request.side == 0 || request.side > MOST || request.preview_side > MOST {
        return Err(Error::BadRequest(format!(
            "a side must be from 1 to {MOST} pixels"
        )));
    }
    Ok(())
}
