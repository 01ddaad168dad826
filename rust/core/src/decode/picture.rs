//! A decoded picture before it is made into a square: possibly reduced, as stored, in its own colours.

use super::Request;
use super::geometry::{Region, Size, crop_region, reduction};
use super::orientation::Orientation;
use super::raster::Raster;

/// What a format's reader hands over.
pub(super) struct Picture {
    /// The pixels, one for each block of `reduction` by `reduction` stored pixels.
    pub(super) raster: Raster,
    /// Of the whole picture as stored, before reduction.
    pub(super) stored: Size,
    /// Stored pixels per pixel of the raster, each way.
    pub(super) reduction: u32,
    /// First column and row that the raster holds, in pixels of the raster.
    pub(super) origin: (u32, u32),
    /// How to turn it upright.
    pub(super) orientation: Orientation,
    /// Embedded ICC profile.
    pub(super) profile: Option<Vec<u8>>,
}

impl Picture {
    /// Where a region of the upright picture lies in the raster.
    pub(super) fn locate(&self, upright: Region) -> Region {
        let by = f64::from(self.reduction);
        let Region {
            left,
            top,
            width,
            height,
        } = self.orientation.region(upright, self.stored);
        let (x, y) = (f64::from(self.origin.0), f64::from(self.origin.1));
        Region {
            left: left / by - x,
            top: top / by - y,
            width: width / by,
            height: height / by,
        }
    }
}

/// How far a picture may be reduced while it is decoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Stored pixels per decoded pixel, each way; a power of two.
    pub(super) reduction: u32,
    /// The part of the stored picture that becomes the square, before reduction.
    pub(super) region: Region,
}

impl Plan {
    /// The highest reduction, at most `most`, that serves the square and the preview.
    pub(super) fn new(
        stored: Size,
        orientation: Orientation,
        request: &Request,
        most: u32,
    ) -> Self {
        let upright = crop_region(orientation.size(stored), request.side, request.fit);
        let region = orientation.region(upright, stored);
        let reduction = reduction(stored, region, request.side, request.preview_side, most);
        Self { reduction, region }
    }
}
