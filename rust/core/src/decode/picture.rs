//! A decoded picture before it is made into a square: possibly reduced, as stored, in its own colours.

use super::Request;
use super::geometry::{Region, Size, crop_region, reduction};
use super::orientation::Orientation;
use super::raster::{Layout, MOST_REDUCTION, Raster, Rows};

/// What a format's reader hands over.
pub(super) struct Picture {
    /// The pixels, one for each block of `reduction` by `reduction` stored pixels.
    pub(super) raster: Raster,
    /// Of the whole picture as stored, before reduction.
    pub(super) stored: Size,
    /// Stored pixels per pixel of the raster, each way.
    pub(super) reduction: u32,
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
        Region {
            left: left / by,
            top: top / by,
            width: width / by,
            height: height / by,
        }
    }
}

/// What a decoder that gives its picture at once hands over.
pub(super) struct Whole {
    /// Of the picture as stored.
    pub(super) stored: Size,
    /// Of the samples.
    pub(super) layout: Layout,
    /// Rows from the top, without padding.
    pub(super) pixels: Vec<u8>,
    /// How to turn it upright.
    pub(super) orientation: Orientation,
    /// Embedded ICC profile.
    pub(super) profile: Option<Vec<u8>>,
}

impl Whole {
    /// The picture, averaged down as far as the request allows.
    pub(super) fn reduced(self, request: &Request) -> Picture {
        let reduction = plan(self.stored, self.orientation, request, MOST_REDUCTION);
        let mut rows = Rows::new(self.stored, self.layout, reduction);
        let pitch = self.stored.width as usize * self.layout.samples();
        self.pixels
            .chunks_exact(pitch)
            .for_each(|row| rows.push(row));
        Picture {
            raster: rows.finish(),
            stored: self.stored,
            reduction,
            orientation: self.orientation,
            profile: self.profile,
        }
    }
}

/// The highest power of two, at most `most`, by which the picture may be reduced while it is decoded.
pub(super) fn plan(stored: Size, orientation: Orientation, request: &Request, most: u32) -> u32 {
    let upright = orientation.size(stored);
    let region = crop_region(upright, request.side, request.fit);
    reduction(upright, region, request.side, request.preview_side, most)
}
