//! PNG, row by row; of an animation the default image.

use std::io::Cursor;

use png::{ColorType, Decoder, DecodingError, InterlaceInfo, Reader, Transformations};

use super::Request;
use super::exif;
use super::geometry::Size;
use super::limits::Limits;
use super::orientation::Orientation;
use super::picture::{Picture, plan};
use super::raster::{Layout, MOST_REDUCTION, Raster, Rows};
use super::sniff::Format;
use crate::{Error, Result};

type Source<'a> = Reader<Cursor<&'a [u8]>>;

const XMP: &[u8] = b"XML:com.adobe.xmp\0";

/// Offsets and steps of the seven passes of an interlaced picture: x, y, columns, rows.
const PASSES: [(u32, u32, u32, u32); 7] = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
];

/// Decode the picture; what follows its last row is not looked at, but for an `eXIf` chunk.
pub(super) fn read(data: &[u8], request: &Request, limits: &Limits) -> Result<Picture> {
    let mut reader = open(data, limits)?;
    let info = reader.info();
    let stored = Size {
        width: info.width,
        height: info.height,
    };
    let profile = info.icc_profile.as_deref().map(<[u8]>::to_vec);
    let orientation = orientation(data);
    let reduction = plan(stored, orientation, request, MOST_REDUCTION);
    let raster = if reader.info().interlaced {
        interlaced(&mut reader, stored, reduction)?
    } else {
        progressive(&mut reader, stored, reduction)?
    };
    Ok(Picture {
        raster,
        stored,
        reduction,
        orientation,
        profile,
    })
}

fn open<'a>(data: &'a [u8], limits: &Limits) -> Result<Source<'a>> {
    let mut decoder = Decoder::new_with_limits(
        Cursor::new(data),
        png::Limits {
            bytes: Limits::BUFFER as usize,
        },
    );
    decoder.set_ignore_text_chunk(true);
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let info = decoder.read_header_info().map_err(failed)?;
    limits.check_size(Size {
        width: info.width,
        height: info.height,
    })?;
    decoder.read_info().map_err(failed)
}

fn layout(reader: &Source<'_>) -> Layout {
    match reader.output_color_type().0 {
        ColorType::Grayscale => Layout::Gray,
        ColorType::GrayscaleAlpha => Layout::GrayAlpha,
        ColorType::Rgba => Layout::Rgba,
        ColorType::Rgb | ColorType::Indexed => Layout::Rgb,
    }
}

fn progressive(reader: &mut Source<'_>, size: Size, reduction: u32) -> Result<Raster> {
    let layout = layout(reader);
    let mut row = vec![0; size.width as usize * layout.samples()];
    let mut rows = Rows::new(size, layout, reduction);
    for _ in 0..size.height {
        reader
            .read_row(&mut row)
            .map_err(failed)?
            .ok_or_else(|| Format::Png.damaged("rows are missing"))?;
        rows.push(&row);
    }
    Ok(rows.finish())
}

fn interlaced(reader: &mut Source<'_>, size: Size, reduction: u32) -> Result<Raster> {
    let layout = layout(reader);
    let pitch = size.width as usize * layout.samples();
    Limits::check_buffer(pitch as u64 * u64::from(size.height))?;
    let mut whole = vec![0; pitch * size.height as usize];
    let mut row = vec![0; pitch];
    for _ in 0..interlaced_rows(size) {
        let Some(InterlaceInfo::Adam7(pass)) = reader.read_row(&mut row).map_err(failed)? else {
            return Err(Format::Png.damaged("rows are missing"));
        };
        png::expand_interlaced_row(&mut whole, pitch, &row, &pass, 8 * layout.samples() as u8);
    }
    let mut rows = Rows::new(size, layout, reduction);
    whole.chunks_exact(pitch).for_each(|row| rows.push(row));
    Ok(rows.finish())
}

fn interlaced_rows(size: Size) -> u32 {
    let rows = |&(x, y, _, step): &(u32, u32, u32, u32)| {
        if size.width > x {
            size.height.saturating_sub(y).div_ceil(step)
        } else {
            0
        }
    };
    PASSES.iter().map(rows).sum()
}

/// From the `eXIf` chunk, which may come after the picture, or from XMP.
fn orientation(data: &[u8]) -> Orientation {
    let (mut found, mut xmp) = (None, None);
    let mut rest = data.get(8..).unwrap_or_default();
    while let Some((length, kind)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let Some((name, body)) = kind
            .get(..4 + length)
            .and_then(<[u8]>::split_first_chunk::<4>)
        else {
            break;
        };
        match name {
            b"eXIf" => found = found.or_else(|| exif::orientation(body)),
            b"iTXt" if body.starts_with(XMP) => xmp = xmp.or_else(|| exif::xmp_orientation(body)),
            _ => {}
        }
        rest = kind.get(8 + length..).unwrap_or_default();
    }
    found.or(xmp).unwrap_or(Orientation::UPRIGHT)
}

fn failed(error: DecodingError) -> Error {
    match error {
        DecodingError::LimitsExceeded => {
            Error::ImageTooLarge("the png picture needs more memory than allowed".into())
        }
        other => Format::Png.damaged(other),
    }
}
