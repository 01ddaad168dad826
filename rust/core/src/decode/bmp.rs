//! Windows bitmaps.

use std::io::Cursor;

use zune_bmp::BmpDecoder;
use zune_bmp::zune_core::colorspace::ColorSpace;
use zune_bmp::zune_core::options::DecoderOptions;

use super::Request;
use super::geometry::Size;
use super::limits::Limits;
use super::orientation::Orientation;
use super::picture::{Picture, Whole};
use super::raster::Layout;
use super::sniff::Format;
use crate::Result;

/// Decode the picture.
pub(super) fn read(data: &[u8], request: &Request, limits: &Limits) -> Result<Picture> {
    let options = DecoderOptions::new_safe()
        .set_strict_mode(true)
        .set_max_width(1 << 17)
        .set_max_height(1 << 17);
    let mut decoder = BmpDecoder::new_with_options(Cursor::new(data), options);
    let failed = |error| Format::Bmp.damaged(format!("{error:?}"));
    decoder.decode_headers().map_err(failed)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    let stored = Size {
        width: width as u32,
        height: height as u32,
    };
    limits.check_size(stored)?;
    let layout = match decoder.colorspace() {
        Some(ColorSpace::Luma) => Layout::Gray,
        Some(ColorSpace::RGB) => Layout::Rgb,
        Some(ColorSpace::RGBA) => Layout::Rgba,
        other => return Err(Format::Bmp.unsupported(format!("its colours are {other:?}"))),
    };
    let pitch = width * layout.samples();
    Limits::check_buffer((pitch * height) as u64)?;
    let mut pixels = vec![0; pitch * height];
    decoder.decode_into(&mut pixels).map_err(failed)?;
    Ok(Whole {
        stored,
        layout,
        pixels,
        orientation: Orientation::UPRIGHT,
        profile: None,
    }
    .reduced(request))
}
