//! Resizing as Pillow does it: antialiased bicubic, a = -0.5, over a fractional region.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::geometry::{Region, Size};
use super::raster::{Channels, Raster};
use crate::{Error, Result};

/// The samples of `region` resized to `size`.
pub(super) fn resize(raster: &Raster, region: Region, size: Size) -> Result<Vec<u8>> {
    let kind = match raster.channels {
        Channels::Gray => PixelType::U8,
        Channels::Rgb => PixelType::U8x3,
        Channels::InvertedCmyk => PixelType::U8x4,
    };
    let Size { width, height } = raster.size;
    let source = ImageRef::new(width, height, &raster.pixels, kind).map_err(failed)?;
    let mut target = Image::new(size.width, size.height, kind);
    let Region {
        left,
        top,
        width,
        height,
    } = within(region, raster.size);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom))
        .use_alpha(false)
        .crop(left, top, width, height);
    Resizer::new()
        .resize(&source, &mut target, &options)
        .map_err(failed)?;
    Ok(target.into_vec())
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
