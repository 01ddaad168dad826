//! The description of a patch: in each of 4 x 4 cells, how much it rises into each of 8 directions.

use std::f32::consts::TAU;

use super::gradient::{Gradients, RUN, bell, gradients};
use super::level::Level;
use super::refine::Found;
use super::rows::{nearest, parts};
use crate::features::PATCH;
use crate::features::widest::widest;

const CELLS: usize = 4;
const DIRECTIONS: usize = 8;
/// Cells of a row, with those beside the patch into which its edge is counted.
const ACROSS: usize = CELLS + 2;
/// Counts of a cell: each pixel goes to two of them next to each other, and the last is the first.
const SLOTS: usize = DIRECTIONS + 1;
/// Room for all counts; a power of two, so that no index is out of bounds.
const ROOM: usize = 512;
/// How far apart the first and the last of the eight places of a pixel are.
const APART: usize = (ACROSS + 1) * SLOTS + 1;
/// Room for two sets of all counts: pixels beside each other mostly have the same places, and would wait for each other.
const BOTH: usize = 2 * ROOM + APART;
/// Width of a cell, in the keypoint's own blur.
const CELL: f32 = 3.0;
/// No direction of a cell counts for more than this share of all: a bright edge does not hide the rest.
const MOST: f32 = 0.2;
const UNIT: f32 = 512.0;

/// The frame of a patch: a cell's width along each of its axes.
struct Frame {
    cosine: f32,
    sine: f32,
    turn: f32,
    /// Every how many rows are counted.
    step: usize,
}

/// Return the histogram of a keypoint that has this direction.
pub(super) fn histogram(level: &Level, found: &Found, direction: f32) -> [u8; PATCH] {
    let cell = CELL * found.sigma;
    let (sine, cosine) = (direction * TAU).sin_cos();
    let frame = Frame {
        cosine: cosine / cell,
        sine: sine / cell,
        turn: direction,
        step: super::step(found.sigma),
    };
    let half = 0.5 * (CELLS + 1) as f32 * cell;
    let reach = (half * (sine.abs() + cosine.abs())).ceil() as usize + 1;
    let weights = bell(0.5 * CELLS as f32 * cell, reach);
    let mut counts = [0.0; BOTH];
    let middle = found.at.map(|at| at.round_ties_even() as usize);
    count(level, middle, found.at, &frame, &weights, &mut counts);
    finished(&counts)
}

widest! {
    /// Return counts as bytes: of length 512 once none stands out.
    fn finished(counts: &[f32; BOTH]) -> [u8; PATCH] {
        let mut values = [0.0; PATCH];
        for (cell, values) in values.as_chunks_mut::<DIRECTIONS>().0.iter_mut().enumerate() {
            let slots = ((cell / CELLS + 1) * ACROSS + cell % CELLS + 1) * SLOTS;
            for (slot, value) in values.iter_mut().enumerate() {
                *value = counts[slots + slot] + counts[ROOM + slots + slot];
            }
            values[0] += counts[slots + DIRECTIONS] + counts[ROOM + slots + DIRECTIONS];
        }
        let most = MOST * length(&values);
        for value in &mut values {
            *value = value.min(most);
        }
        let scale = UNIT / length(&values).max(f32::MIN_POSITIVE);
        let mut bytes = [0; PATCH];
        for (byte, value) in bytes.iter_mut().zip(values) {
            *byte = nearest((value * scale).min(255.0)) as u8;
        }
        bytes
    }
}

#[expect(
    clippy::inline_always,
    reason = "must become part of the function that uses it"
)]
#[inline(always)]
fn length(values: &[f32; PATCH]) -> f32 {
    let mut sums = [0.0; RUN];
    for values in values.as_chunks::<RUN>().0 {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += value * value;
        }
    }
    sums.iter().sum::<f32>().sqrt()
}

impl Frame {
    /// Return between which columns beside the keypoint the patch lies, in a row this far below it.
    #[expect(
        clippy::inline_always,
        reason = "must become part of the loop that uses it"
    )]
    #[inline(always)]
    fn columns(&self, below: f32) -> (f32, f32) {
        let half = 0.5 * (CELLS + 1) as f32;
        let (mut first, mut last) = (f32::MIN, f32::MAX);
        for (slope, offset) in [
            (self.sine, below * self.cosine),
            (self.cosine, -below * self.sine),
        ] {
            if slope.abs() > 1e-6 {
                let ends = [(-half - offset) / slope, (half - offset) / slope];
                first = first.max(ends[0].min(ends[1]));
                last = last.min(ends[0].max(ends[1]));
            } else if offset.abs() >= half {
                return (0.0, -1.0);
            }
        }
        (first, last)
    }
}

/// Where the pixels of a run are counted: the first of each one's eight places, and how much in each.
struct Shares {
    places: [i32; RUN],
    parts: [[f32; RUN]; 8],
}

#[expect(
    clippy::inline_always,
    reason = "must become part of the loop that uses it"
)]
#[inline(always)]
fn shares(
    gradients: &Gradients,
    frame: &Frame,
    away: (f32, f32),
    weights: (&[f32], f32),
) -> Shares {
    let mut shares = Shares {
        places: [0; RUN],
        parts: [[0.0; RUN]; 8],
    };
    let (top, most) = (0.5 * CELLS as f32 + 0.5, (CELLS + 1) as f32 - 1e-4);
    for at in 0..RUN {
        let x = away.0 + at as f32;
        let row = (x * frame.sine + away.1 * frame.cosine + top).clamp(0.0, most);
        let column = (x * frame.cosine - away.1 * frame.sine + top).clamp(0.0, most);
        let turned = (gradients.turns[at] - frame.turn + 1.0) * DIRECTIONS as f32;
        let ((r, down), (c, right), (o, on)) = (parts(row), parts(column), parts(turned));
        let size = gradients.sizes[at] * weights.0[at] * weights.1;
        shares.places[at] = (r * ACROSS as i32 + c) * SLOTS as i32 + (o & (DIRECTIONS as i32 - 1));
        let lower = size * down;
        for (row, part) in [size - lower, lower].into_iter().enumerate() {
            let righter = part * right;
            for (column, part) in [part - righter, righter].into_iter().enumerate() {
                let next = part * on;
                shares.parts[4 * row + 2 * column][at] = part - next;
                shares.parts[4 * row + 2 * column + 1][at] = next;
            }
        }
    }
    shares
}

widest! {
    fn count(level: &Level, middle: [usize; 2], at: [f32; 2], frame: &Frame, weights: &[f32], counts: &mut [f32; BOTH]) {
        let reach = (weights.len() - RUN) / 2;
        let [column, row] = middle;
        let first_row = row - reach.min(row - 1);
        for y in (first_row..(row + reach + 1).min(level.height - 1)).step_by(frame.step) {
            let below = y as f32 - at[1];
            let (first, last) = frame.columns(below);
            let first = (first + at[0]).ceil().max(1.0) as usize;
            let last = (last + at[0]).floor().min((level.width - 2) as f32) as isize;
            let end = (last + 1).max(0) as usize;
            for x in (first..end).step_by(RUN) {
                let wide = weights.get(x + reach - column..).and_then(|rest| rest.get(..RUN)).unwrap_or(&[0.0; RUN]);
                let away = (x as f32 - at[0], below);
                let high = weights[y + reach - row];
                let Shares { places, parts } = shares(&gradients(level, x, y), frame, away, (wide, high));
                for at in 0..RUN.min(end - x) {
                    let place = places[at] as usize % ROOM + at % 2 * ROOM;
                    let corners = [0, SLOTS, ACROSS * SLOTS, (ACROSS + 1) * SLOTS];
                    for (corner, parts) in corners.into_iter().zip(parts.as_chunks::<2>().0) {
                        counts[place + corner] += parts[0][at];
                        counts[place + corner + 1] += parts[1][at];
                    }
                }
            }
        }
    }
}
