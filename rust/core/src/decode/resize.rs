//! Resizing as Pillow does it: antialiased bicubic, a = -0.5, over a fractional region.

use std::ops::Range;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, IntoImageView, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::geometry::{Region, Size};
use super::raster::{Channels, Raster};
use crate::{Error, Result};

/// Source samples on either side that the filter looks at, at a scale of one.
const SUPPORT: f64 = 2.0;

/// The samples of `region` resized to `size`.
///
/// Columns first and rows second, each rounded to whole samples, as Pillow does: with the rows first one sample in eight
/// would differ by one, and vectors by up to 1.8e-4 (1 - cosine).
pub(super) fn resize(raster: &Raster, region: Region, size: Size) -> Result<Vec<u8>> {
    let kind = match raster.channels {
        Channels::Gray => PixelType::U8,
        Channels::Rgb => PixelType::U8x3,
        Channels::InvertedCmyk => PixelType::U8x4,
    };
    let Size { width, height } = raster.size;
    let source = ImageRef::new(width, height, &raster.pixels, kind).map_err(failed)?;
    let region = within(region, raster.size);
    let band = band(region, height, size.height);
    let rows = f64::from(band.end - band.start);
    let mut narrow = Image::new(size.width, band.end - band.start, kind);
    let columns = Region {
        top: band.start.into(),
        height: rows,
        ..region
    };
    convolve(&source, &mut narrow, columns)?;
    let mut target = Image::new(size.width, size.height, kind);
    let rows = Region {
        left: 0.0,
        top: region.top - f64::from(band.start),
        width: size.width.into(),
        height: region.height,
    };
    convolve(&narrow, &mut target, rows)?;
    Ok(target.into_vec())
}

/// The rows that resizing `region` to `target` rows looks at.
#[allow(clippy::cast_sign_loss)] // neither is negative
fn band(region: Region, height: u32, target: u32) -> Range<u32> {
    let reach = SUPPORT * (region.height / f64::from(target)).max(1.0) + 1.0;
    // Exact: within the picture.
    let first = (region.top - reach).floor().max(0.0) as u32;
    let end = (region.top + region.height + reach).ceil() as u32;
    first..end.min(height)
}

fn convolve(source: &impl IntoImageView, target: &mut Image<'_>, region: Region) -> Result<()> {
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom))
        .use_alpha(false)
        .crop(region.left, region.top, region.width, region.height);
    Resizer::new()
        .resize(source, target, &options)
        .map_err(failed)
}

/// The region without the hair's breadth by which rounding may carry it outside.
fn within(region: Region, size: Size) -> Region {
    let left = region.left.max(0.0);
    let top = region.top.max(0.0);
    let width = region.width.min(f64::from(size.width) - left);
    let height = region.height.min(f64::from(size.height) - top);
    Region {
        left,
        top,
        width,
        height,
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::InvalidImage(format!("the picture cannot be resized: {error}"))
}
