//! How steeply a blurred picture rises, and where to.

use std::f32::consts::TAU;

use super::level::Level;
use super::rows::tile;

/// Pixels of a row worked on at once.
pub(super) const RUN: usize = 16;

/// The gradients of a run of pixels.
pub(super) struct Gradients {
    /// Steepness, in any unit.
    pub(super) sizes: [f32; RUN],
    /// Direction, anticlockwise from the right, as a share of a turn, 0..=1.
    pub(super) turns: [f32; RUN],
}

/// Return the gradients of a run that starts at a pixel, neither of the first nor of the last row or column.
#[expect(
    clippy::inline_always,
    reason = "must become part of the loops that use it"
)]
#[inline(always)]
pub(super) fn gradients(level: &Level, column: usize, row: usize) -> Gradients {
    let above: &[u16; RUN] = tile(level.from(column, row - 1), 0);
    let below: &[u16; RUN] = tile(level.from(column, row + 1), 0);
    let left: &[u16; RUN] = tile(level.from(column - 1, row), 0);
    let right: &[u16; RUN] = tile(level.from(column + 1, row), 0);
    let (mut sizes, mut turns) = ([0.0; RUN], [0.0; RUN]);
    for at in 0..RUN {
        let x = (i32::from(right[at]) - i32::from(left[at])) as f32;
        let y = (i32::from(above[at]) - i32::from(below[at])) as f32;
        sizes[at] = (x * x + y * y).sqrt();
        turns[at] = turn(x, y);
    }
    Gradients { sizes, turns }
}

/// Return a direction as a share of a turn, 0..=1, to 1e-5 of it (Abramowitz and Stegun 4.4.49).
#[expect(
    clippy::inline_always,
    reason = "must become part of the loops that use it"
)]
#[inline(always)]
fn turn(x: f32, y: f32) -> f32 {
    let (wide, high) = (x.abs(), y.abs());
    let slope = wide.min(high) / wide.max(high).max(f32::MIN_POSITIVE);
    let square = slope * slope;
    let series = 0.999_866
        + square
            * (-0.330_299_5 + square * (0.180_141 + square * (-0.085_133 + square * 0.020_835_1)));
    let eighth = slope * series * (1.0 / TAU);
    let quarter = if high > wide { 0.25 - eighth } else { eighth };
    let half = if x < 0.0 { 0.5 - quarter } else { quarter };
    if y < 0.0 { 1.0 - half } else { half }
}

/// The weights of a Gaussian of `sigma` around a middle, at `-reach..=reach`, then zeros for a run.
pub(super) fn bell(sigma: f32, reach: usize) -> Vec<f32> {
    let reach = reach as i16;
    let weight = |at: i16| (-0.5 * (f32::from(at) / sigma).powi(2)).exp();
    (-reach..=reach).map(weight).chain([0.0; RUN]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_shares_of_a_turn() {
        for step in 0..1000_u16 {
            let angle = f32::from(step) / 1000.0 * TAU;
            let error = (turn(angle.cos(), angle.sin()) - f32::from(step) / 1000.0).abs();
            assert!(error.min(1.0 - error) < 1e-5, "{step} {error}");
        }
        assert!(turn(0.0, 0.0).abs() < 1e-9);
    }
}
