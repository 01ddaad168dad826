//! Where differences of neighbouring levels are larger, or smaller, than all around them, in place and in scale.

use super::refine::{self, Place};
use super::rows::{Ring, TILE, tile, whole_tiles};
use super::{LAYERS, Strongest};
use crate::features::widest::widest;

/// Differences of levels of an octave.
pub(super) const DIFFERENCES: usize = LAYERS + 2;
/// Steps of a gray value. No difference exceeds 43 gray values: that is what is between the two Gaussians.
pub(super) const STEPS: f32 = 512.0;
/// Rows and columns at the edge where no keypoints are; and how many rows beyond the one that is looked at are there,
/// for extrema that turn out to lie beside it.
pub(super) const BORDER: usize = 5;

/// The latest rows of the differences of an octave's levels.
pub(super) struct Differences {
    rings: [Ring<i16>; DIFFERENCES],
}

impl Differences {
    /// Make rings for what is `behind` rows behind.
    pub(super) fn new(width: usize, behind: usize) -> Self {
        Self {
            rings: [(); DIFFERENCES].map(|()| Ring::new(width, behind + 2 * BORDER + 2)),
        }
    }

    /// Put a row of a difference: that of two levels.
    pub(super) fn put(&mut self, difference: usize, row: usize, before: &[f32], this: &[f32]) {
        subtract(before, this, self.rings[difference].row_mut(row));
    }

    /// Return a row of a difference, one of the latest.
    pub(super) fn row(&self, difference: usize, row: usize) -> &[i16] {
        self.rings[difference].row(row)
    }
}

/// The search for extrema in an octave, row by row.
pub(super) struct Scan {
    octave: u8,
    width: usize,
    height: usize,
    next: usize,
    marks: Vec<u8>,
    peaks: Peaks,
}

/// The largest and least values of three rows of three differences, for each layer, between margins of a tile.
struct Peaks {
    over: [Vec<i16>; LAYERS],
    under: [Vec<i16>; LAYERS],
}

impl Scan {
    /// Begin the search in an octave.
    pub(super) fn new(octave: u8, width: usize, height: usize) -> Self {
        let room = || [(); LAYERS].map(|()| vec![0; whole_tiles(width) + 2 * TILE]);
        let peaks = Peaks {
            over: room(),
            under: room(),
        };
        Self {
            octave,
            width,
            height,
            next: BORDER,
            marks: vec![0; whole_tiles(width)],
            peaks,
        }
    }

    /// Search the rows around which the first `ready` rows of all differences are enough.
    pub(super) fn rows(&mut self, differences: &Differences, ready: usize, found: &mut Strongest) {
        while self.next + BORDER < ready {
            self.row(differences, self.next, found);
            self.next += 1;
        }
    }

    fn row(&mut self, differences: &Differences, row: usize, found: &mut Strongest) {
        let rows = std::array::from_fn(|number| {
            std::array::from_fn(|away| differences.row(number, row + away - 1))
        });
        let least = (found.least_difference() * STEPS) as i16;
        mark(&rows, least, &mut self.peaks, &mut self.marks);
        let size = (self.width, self.height);
        let inside = BORDER..self.width - BORDER;
        for (number, marks) in self.marks.as_chunks::<TILE>().0.iter().enumerate() {
            if marks.iter().fold(0, |any, mark| any | mark) == 0 {
                continue;
            }
            let columns = (number * TILE..).zip(marks);
            for (column, mark) in columns.filter(|(column, _)| inside.contains(column)) {
                for layer in (1..=LAYERS).filter(|layer| mark >> layer & 1 == 1) {
                    let place = Place { column, row, layer };
                    found.offer(refine::refined(differences, self.octave, place, size));
                }
            }
        }
    }
}

widest! {
    fn subtract(before: &[f32], this: &[f32], made: &mut [i16]) {
        for ((made, this), before) in made.iter_mut().zip(this).zip(before) {
            // the bits of a float of this size end with its nearest whole number
            *made = ((this - before) * STEPS + 12_582_912.0).to_bits() as i16;
        }
    }
}

widest! {
    /// Mark, one bit for each layer, where a value beyond `least` is equalled by none around it but by larger ones.
    fn mark(rows: &[[&[i16]; 3]; DIFFERENCES], least: i16, peaks: &mut Peaks, marks: &mut [u8]) {
        for column in (0..marks.len()).step_by(TILE) {
            let mut over = [[i16::MIN; TILE]; LAYERS];
            let mut under = [[i16::MAX; TILE]; LAYERS];
            for (number, [above, here, below]) in rows.iter().enumerate() {
                let (above, here, below) = (tile::<TILE, _>(above, column), tile::<TILE, _>(here, column), tile::<TILE, _>(below, column));
                let (mut most, mut fewest) = ([0; TILE], [0; TILE]);
                for at in 0..TILE {
                    most[at] = above[at].max(here[at]).max(below[at]);
                    fewest[at] = above[at].min(here[at]).min(below[at]);
                }
                for layer in number.saturating_sub(2)..LAYERS.min(number + 1) {
                    for at in 0..TILE {
                        over[layer][at] = over[layer][at].max(most[at]);
                        under[layer][at] = under[layer][at].min(fewest[at]);
                    }
                }
            }
            for layer in 0..LAYERS {
                peaks.over[layer][TILE + column..][..TILE].copy_from_slice(&over[layer]);
                peaks.under[layer][TILE + column..][..TILE].copy_from_slice(&under[layer]);
            }
        }
        for (number, marks) in marks.as_chunks_mut::<TILE>().0.iter_mut().enumerate() {
            *marks = [0; TILE];
            for layer in 0..LAYERS {
                let here: &[i16; TILE] = tile(rows[layer + 1][1], number * TILE);
                let strong = here.iter().fold(0, |any, value| any | i16::from(value.unsigned_abs() > least.unsigned_abs()));
                if strong == 0 {
                    continue;
                }
                let at = TILE + number * TILE;
                let [over, under] = [&peaks.over[layer], &peaks.under[layer]];
                let (left, middle, right) = (tile::<TILE, _>(over, at - 1), tile::<TILE, _>(over, at), tile::<TILE, _>(over, at + 1));
                let (low, centre, high) = (tile::<TILE, _>(under, at - 1), tile::<TILE, _>(under, at), tile::<TILE, _>(under, at + 1));
                for at in 0..TILE {
                    let most: i16 = left[at].max(middle[at]).max(right[at]);
                    let fewest: i16 = low[at].min(centre[at]).min(high[at]);
                    let peak = u8::from(here[at] == most) & u8::from(here[at] > least);
                    let pit = u8::from(here[at] == fewest) & u8::from(here[at] < -least);
                    marks[at] |= (peak | pit) << (layer + 1);
                }
            }
        }
    }
}
