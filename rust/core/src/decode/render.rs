//! From a decoded picture to the square and the preview.

use super::color::{Converter, luma};
use super::geometry::{crop_region, preview_size};
use super::picture::Picture;
use super::resize::resize;
use super::sniff::Format;
use super::{Decoded, Preview, Request, Size};
use crate::Result;

/// Resize, convert to sRGB and turn upright, in this order: each step works on the fewest pixels.
pub(super) fn render(picture: &Picture, request: &Request, format: Format) -> Result<Decoded> {
    let upright = picture.orientation.size(picture.stored);
    let converter = Converter::new(picture.raster.channels, picture.profile.as_deref());
    let square = Size {
        width: request.side,
        height: request.side,
    };
    let region = picture.locate(crop_region(upright, request.side, request.fit));
    let samples = converter.srgb(resize(&picture.raster, region, square)?);
    let (pixels, _) = picture.orientation.apply(samples, square, 3);
    let preview = (request.preview_side > 0)
        .then(|| preview(picture, request, &converter))
        .transpose()?;
    Ok(Decoded {
        pixels,
        preview,
        size: upright,
        format,
    })
}

fn preview(picture: &Picture, request: &Request, converter: &Converter) -> Result<Preview> {
    let upright = picture.orientation.size(picture.stored);
    // Orientations are their own inverses as far as sizes go.
    let small = picture
        .orientation
        .size(preview_size(upright, request.preview_side));
    let srgb = converter.srgb(resize(
        &picture.raster,
        picture.locate(upright.region()),
        small,
    )?);
    let (samples, channels) = if request.preview_gray {
        (luma(&srgb), 1)
    } else {
        (srgb, 3)
    };
    let (pixels, size) = picture.orientation.apply(samples, small, channels);
    Ok(Preview {
        pixels,
        size,
        channels,
    })
}
