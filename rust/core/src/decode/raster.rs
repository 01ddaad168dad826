//! Rows of 8-bit samples, averaged down as they arrive, so that a large picture never lies in memory whole.

use super::geometry::Size;

/// Highest reduction of [`Rows`]: sums of one column of a block must fit `u16`.
pub(super) const MOST_REDUCTION: u32 = 64;

/// Meaning of the interleaved samples of an opaque picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channels {
    Gray,
    Rgb,
    /// 255 is no ink.
    InvertedCmyk,
}

impl Channels {
    pub(super) fn count(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::InvertedCmyk => 4,
        }
    }
}

/// Meaning of the samples of a row as a decoder gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
    InvertedCmyk,
}

impl Layout {
    /// What remains when transparency is laid over white.
    pub(super) fn channels(self) -> Channels {
        match self {
            Self::Gray | Self::GrayAlpha => Channels::Gray,
            Self::Rgb | Self::Rgba => Channels::Rgb,
            Self::InvertedCmyk => Channels::InvertedCmyk,
        }
    }

    /// Samples per pixel.
    pub(super) fn samples(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba | Self::InvertedCmyk => 4,
        }
    }
}

/// An opaque picture: `height * width * channels` samples in rows from the top.
pub(super) struct Raster {
    pub(super) size: Size,
    pub(super) channels: Channels,
    pub(super) pixels: Vec<u8>,
}

/// Takes the rows of a picture from the top, lays them over white and averages blocks of them.
pub(super) struct Rows {
    layout: Layout,
    reduction: usize,
    size: Size,
    pixels: Vec<u8>,
    opaque: Vec<u8>,
    sums: Vec<u16>,
    pending: usize,
}

impl Rows {
    /// `size` is that of the rows to come; `reduction` a power of two, at most [`MOST_REDUCTION`].
    pub(super) fn new(size: Size, layout: Layout, reduction: u32) -> Self {
        let reduced = size.reduced(reduction);
        let samples = layout.channels().count();
        Self {
            layout,
            reduction: reduction as usize,
            size: reduced,
            pixels: Vec::with_capacity(reduced.pixels() as usize * samples),
            opaque: Vec::new(),
            sums: if reduction > 1 {
                vec![0; size.width as usize * samples]
            } else {
                Vec::new()
            },
            pending: 0,
        }
    }

    /// Take the next row.
    pub(super) fn push(&mut self, row: &[u8]) {
        let opaque = match self.layout {
            Layout::GrayAlpha => over_white::<2>(row, &mut self.opaque),
            Layout::Rgba => over_white::<4>(row, &mut self.opaque),
            Layout::Gray | Layout::Rgb | Layout::InvertedCmyk => row,
        };
        if self.reduction == 1 {
            self.pixels.extend_from_slice(opaque);
            return;
        }
        for (sum, &sample) in self.sums.iter_mut().zip(opaque) {
            *sum += u16::from(sample);
        }
        self.pending += 1;
        if self.pending == self.reduction {
            self.average();
        }
    }

    /// The picture, when all rows were pushed.
    pub(super) fn finish(mut self) -> Raster {
        if self.pending > 0 {
            self.average();
        }
        Raster {
            size: self.size,
            channels: self.layout.channels(),
            pixels: self.pixels,
        }
    }

    fn average(&mut self) {
        let (sums, blocks) = (&self.sums, (self.reduction, self.pending));
        match self.layout.channels() {
            Channels::Gray => average_blocks::<1>(sums, blocks, &mut self.pixels),
            Channels::Rgb => average_blocks::<3>(sums, blocks, &mut self.pixels),
            Channels::InvertedCmyk => average_blocks::<4>(sums, blocks, &mut self.pixels),
        }
        self.sums.fill(0);
        self.pending = 0;
    }
}

/// Append the mean of each block of `(columns, rows)`; `sums` are those of its columns.
fn average_blocks<const N: usize>(
    sums: &[u16],
    (columns, rows): (usize, usize),
    pixels: &mut Vec<u8>,
) {
    for block in sums.as_chunks::<N>().0.chunks(columns) {
        let mut total = [0_u32; N];
        for column in block {
            for (total, &sum) in total.iter_mut().zip(column) {
                *total += u32::from(sum);
            }
        }
        let count = (block.len() * rows) as u32;
        pixels.extend(total.map(|total| ((total + count / 2) / count) as u8));
    }
}

/// Lay pixels of `N` samples, the last one alpha, over white.
fn over_white<'a, const N: usize>(row: &[u8], opaque: &'a mut Vec<u8>) -> &'a [u8] {
    opaque.clear();
    let (pixels, _) = row.as_chunks::<N>();
    for pixel in pixels {
        let alpha = u32::from(pixel[N - 1]);
        opaque.extend(pixel[..N - 1].iter().map(|&sample| {
            let weighted = u32::from(sample) * alpha + 255 * (255 - alpha) + 128;
            ((weighted + (weighted >> 8)) >> 8) as u8
        }));
    }
    opaque
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reduced(rows: &[&[u8]], width: u32, layout: Layout, reduction: u32) -> Raster {
        let size = Size {
            width,
            height: rows.len() as u32,
        };
        let mut sink = Rows::new(size, layout, reduction);
        for row in rows {
            sink.push(row);
        }
        sink.finish()
    }

    #[test]
    fn blocks_are_averaged_with_partial_ones_at_the_edges() {
        let raster = reduced(
            &[&[0, 10, 20], &[20, 30, 40], &[7, 9, 50]],
            3,
            Layout::Gray,
            2,
        );
        assert_eq!(
            raster.size,
            Size {
                width: 2,
                height: 2
            }
        );
        assert_eq!(raster.pixels, [15, 30, 8, 50]);
    }

    #[test]
    fn transparent_pixels_are_white() {
        let raster = reduced(&[&[9, 9, 9, 0, 9, 9, 9, 255]], 2, Layout::Rgba, 1);
        assert_eq!(raster.pixels, [255, 255, 255, 9, 9, 9]);
    }

    proptest! {
        #[test]
        fn a_flat_picture_stays_flat(value: u8, width in 1u32..200, height in 1u32..200, power in 0u32..7) {
            let row = vec![value; width as usize * 3];
            let rows = vec![row.as_slice(); height as usize];
            let raster = reduced(&rows, width, Layout::Rgb, 1 << power);
            prop_assert_eq!(raster.pixels.len(), raster.size.pixels() as usize * 3);
            prop_assert!(raster.pixels.iter().all(|&sample| sample == value));
        }
    }
}
