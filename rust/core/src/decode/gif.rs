//! GIF: the first frame on a white canvas. Frames after it are never looked at, so their number does not matter.

use gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, MemoryLimit};

use super::Request;
use super::geometry::Size;
use super::limits::Limits;
use super::orientation::Orientation;
use super::picture::{Picture, plan};
use super::raster::{Layout, MOST_REDUCTION, Raster, Rows};
use super::sniff::Format;
use crate::{Error, Result};

/// Where the first frame lies on the canvas, pixels.
struct Frame {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

/// Decode the first frame.
pub(super) fn read(data: &[u8], request: &Request, limits: &Limits) -> Result<Picture> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    options.set_memory_limit(MemoryLimit::Unlimited); // each buffer is checked here, before it is made
    let mut decoder = options.read_info(data).map_err(failed)?;
    let stored = Size {
        width: decoder.width().into(),
        height: decoder.height().into(),
    };
    limits.check_size(stored)?;
    let frame = first_frame(&mut decoder, limits)?;
    let reduction = plan(stored, Orientation::UPRIGHT, request, MOST_REDUCTION);
    let raster = draw(&mut decoder, &frame, stored, reduction)?;
    let orientation = Orientation::UPRIGHT;
    Ok(Picture {
        raster,
        stored,
        reduction,
        orientation,
        profile: None,
    })
}

fn first_frame(decoder: &mut Decoder<&[u8]>, limits: &Limits) -> Result<Frame> {
    let frame = decoder
        .next_frame_info()
        .map_err(failed)?
        .ok_or_else(|| Format::Gif.damaged("it has no frame"))?;
    limits.check_size(Size {
        width: frame.width.into(),
        height: frame.height.into(),
    })?;
    Ok(Frame {
        left: frame.left.into(),
        top: frame.top.into(),
        width: frame.width.into(),
        height: frame.height.into(),
    })
}

fn draw(decoder: &mut Decoder<&[u8]>, frame: &Frame, size: Size, reduction: u32) -> Result<Raster> {
    let samples = Layout::Rgba.samples();
    let mut pixels = vec![0; decoder.buffer_size()];
    decoder.read_into_buffer(&mut pixels).map_err(failed)?;
    let width = size.width as usize;
    let shown = frame.width.min(width.saturating_sub(frame.left)) * samples;
    let blank = vec![255; width * samples];
    let mut row = blank.clone();
    let mut rows = Rows::new(size, Layout::Rgba, reduction);
    for y in 0..size.height as usize {
        let drawn = y
            .checked_sub(frame.top)
            .filter(|&line| line < frame.height && shown > 0);
        if let Some(line) = drawn {
            let source = line * frame.width * samples;
            let target = frame.left * samples;
            row[target..target + shown].copy_from_slice(&pixels[source..source + shown]);
        }
        rows.push(if drawn.is_some() { &row } else { &blank });
    }
    Ok(rows.finish())
}

fn failed(error: DecodingError) -> Error {
    Format::Gif.damaged(error)
}
