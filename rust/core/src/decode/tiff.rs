//! TIFF: the first page, in its usual kinds; rarer ones are left to the other decoder.

use std::io::Cursor;

use tiff::decoder::{Decoder, DecodingResult, Limits as TiffLimits};
use tiff::tags::Tag;
use tiff::{ColorType, TiffError};

use super::Request;
use super::exif;
use super::geometry::Size;
use super::limits::Limits;
use super::orientation::Orientation;
use super::picture::{Picture, Whole};
use super::raster::Layout;
use super::sniff::Format;
use crate::{Error, Result};

type Source<'a> = Decoder<Cursor<&'a [u8]>>;

/// Decode the first page.
pub(super) fn read(data: &[u8], request: &Request, limits: &Limits) -> Result<Picture> {
    let mut decoder = Decoder::new(Cursor::new(data)).map_err(failed)?;
    let (width, height) = decoder.dimensions().map_err(failed)?;
    let stored = Size { width, height };
    limits.check_size(stored)?;
    let layout = layout(&mut decoder)?;
    let orientation = orientation(&mut decoder);
    let profile = decoder.get_tag_u8_vec(Tag::IccProfile).ok();
    let mut pixels = samples(decoder)?;
    let pitch = width as usize * layout.samples();
    if pixels.len() != pitch * height as usize {
        return Err(Format::Tiff.unsupported("its samples do not fill its rows"));
    }
    if layout == Layout::InvertedCmyk {
        for sample in &mut pixels {
            *sample = 255 - *sample;
        }
    }
    Ok(Whole {
        stored,
        layout,
        pixels,
        orientation,
        profile,
    }
    .reduced(request))
}

fn orientation(decoder: &mut Source<'_>) -> Orientation {
    const XMP: Tag = Tag::Unknown(700);
    let tag = decoder
        .find_tag_unsigned::<u32>(Tag::Orientation)
        .ok()
        .flatten();
    tag.and_then(Orientation::new)
        .or_else(|| exif::xmp_orientation(&decoder.get_tag_u8_vec(XMP).ok()?))
        .unwrap_or(Orientation::UPRIGHT)
}

fn layout(decoder: &mut Source<'_>) -> Result<Layout> {
    const SEPARATE_PLANES: u32 = 2;
    let planes = decoder
        .find_tag_unsigned::<u32>(Tag::PlanarConfiguration)
        .map_err(failed)?;
    match decoder.colortype().map_err(failed)? {
        ColorType::Gray(8 | 16) => Ok(Layout::Gray),
        kind if planes == Some(SEPARATE_PLANES) => {
            Err(Format::Tiff.unsupported(format!("{kind:?} in planes")))
        }
        ColorType::GrayA(8 | 16) => Ok(Layout::GrayAlpha),
        ColorType::RGB(8 | 16) => Ok(Layout::Rgb),
        ColorType::RGBA(8 | 16) => Ok(Layout::Rgba),
        ColorType::CMYK(8) => Ok(Layout::InvertedCmyk),
        kind => Err(Format::Tiff.unsupported(format!("{kind:?}"))),
    }
}

fn samples(decoder: Source<'_>) -> Result<Vec<u8>> {
    let mut limits = TiffLimits::default();
    limits.decoding_buffer_size = Limits::BUFFER as usize;
    limits.intermediate_buffer_size = Limits::BUFFER as usize;
    match decoder.with_limits(limits).read_image().map_err(failed)? {
        DecodingResult::U8(samples) => Ok(samples),
        DecodingResult::U16(samples) => {
            Ok(samples.iter().map(|sample| (sample >> 8) as u8).collect())
        }
        _ => Err(Format::Tiff.unsupported("its samples are neither 8 nor 16 bit")),
    }
}

fn failed(error: TiffError) -> Error {
    match error {
        TiffError::UnsupportedError(what) => Format::Tiff.unsupported(what),
        TiffError::LimitsExceeded | TiffError::IntSizeError => {
            Error::ImageTooLarge("the tiff picture needs more memory than allowed".into())
        }
        other => Format::Tiff.damaged(other),
    }
}
