//! JPEG through libjpeg-turbo, scaled in the DCT domain.

use super::Request;
use super::geometry::Size;
use super::limits::Limits;
use super::picture::{Picture, plan};
use super::raster::{Channels, Raster};
use super::sniff::Format;
use crate::Result;

mod header;
mod strict;
mod turbo;

use header::Header;

/// libjpeg-turbo scales down to an eighth.
const MOST_REDUCTION: u32 = 8;

/// Decode all scans at the lowest scale that serves.
pub(super) fn read(data: &[u8], request: &Request, limits: &Limits) -> Result<Picture> {
    let header = Header::parse(data)?;
    limits.check_size(header.size)?;
    header.check()?;
    let reduction = plan(header.size, header.orientation, request, MOST_REDUCTION);
    let size = header.size.reduced(reduction);
    let channels = header.channels();
    let bytes = size.pixels() * channels.count() as u64;
    Limits::check_buffer(bytes + header.coefficient_bytes())?;
    let mut pixels = vec![0; bytes as usize];
    strict::decompress(data, &header, reduction, &mut pixels)?;
    Ok(Picture {
        raster: Raster {
            size,
            channels,
            pixels,
        },
        stored: header.size,
        reduction,
        orientation: header.orientation,
        profile: header.profile,
    })
}

impl Header {
    fn channels(&self) -> Channels {
        match self.components.len() {
            1 => Channels::Gray,
            4 => Channels::InvertedCmyk,
            _ => Channels::Rgb,
        }
    }

    /// Refuse what libjpeg-turbo would refuse with less of a reason.
    fn check(&self) -> Result<()> {
        let unsupported = |what: &str| Err(Format::Jpeg.unsupported(what));
        match self.process {
            0..=2 | 9 | 10 => {}
            3 | 11 => return unsupported("it is lossless"),
            _ => return unsupported("it is hierarchical"),
        }
        if self.precision != 8 {
            return unsupported(&format!("it has {} bits per sample", self.precision));
        }
        match self.components.len() {
            1 | 3 | 4 => Ok(()),
            count => unsupported(&format!("it has {count} components")),
        }
    }
}

impl Size {
    /// Blocks of 8 x 8 samples of a component whose sampling is `share` of `whole`, each way.
    fn blocks(self, share: (u8, u8), whole: (u8, u8)) -> u64 {
        let along = |length: u32, share: u8, whole: u8| {
            (u64::from(length) * u64::from(share)).div_ceil(8 * u64::from(whole.max(1)))
        };
        along(self.width, share.0, whole.0) * along(self.height, share.1, whole.1)
    }
}
