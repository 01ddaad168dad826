//! Gaussian blur, rows and columns apart.

use super::rows::{TILE, mirrored, tile, whole_tiles};
use crate::features::widest::widest;

/// Values kept free on both sides of a row whose columns are blurred.
pub(super) const MARGIN: usize = 16;
/// Where a kernel ends, in standard deviations.
const END: f32 = 4.0;

/// The weights of a Gaussian kernel: the middle one, and those of the pairs beside it.
pub(super) struct Kernel {
    weights: Vec<f32>,
}

impl Kernel {
    /// Make the kernel of a standard deviation, at most `MARGIN / 4` pixels.
    pub(super) fn new(sigma: f32) -> Self {
        let reach = ((END * sigma).round() as u16).min(MARGIN as u16);
        let cut = weights(sigma, reach);
        let spread = cut
            .iter()
            .zip(0_u16..)
            .map(|(weight, at)| 2.0 * weight * f32::from(at).powi(2));
        let lost = sigma / spread.sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        Self {
            weights: weights(sigma * lost, reach),
        }
    }

    /// Return how many rows or columns it looks at on either side.
    pub(super) fn reach(&self) -> usize {
        self.weights.len() - 1
    }

    /// Return the rows that make `row`, of a picture with `height` of them: itself, then pairs ever further away.
    pub(super) fn rows(&self, row: usize, height: usize) -> impl Iterator<Item = usize> {
        let pairs = (1..=self.reach() as isize).flat_map(|away| [-away, away]);
        std::iter::once(row).chain(pairs.map(move |away| mirrored(row as isize + away, height)))
    }

    /// Blur across rows: for each row to be made, `taps` says where the rows that make it begin in `values`.
    ///
    /// Each row made is `whole_tiles(width)` values with `MARGIN` free on both sides.
    pub(super) fn across_rows(
        &self,
        values: &[f32],
        taps: &[usize],
        width: usize,
        made: &mut [f32],
    ) {
        across_rows(values, &self.weights, taps, whole_tiles(width), made);
    }

    /// Blur a row that `across_rows` made across its columns; writes `whole_tiles(width)` values.
    pub(super) fn across_columns(&self, row: &mut [f32], width: usize, made: &mut [f32]) {
        for away in 1..=self.reach() {
            row[MARGIN - away] = row[MARGIN + mirrored(-(away as isize), width)];
            row[MARGIN + width + away - 1] =
                row[MARGIN + mirrored((width + away) as isize - 1, width)];
        }
        across_columns(row, &self.weights, &mut made[..whole_tiles(width)]);
    }
}

/// Return the middle weight and those on one side, whose sum on both sides is one.
fn weights(sigma: f32, reach: u16) -> Vec<f32> {
    let weights = (0..=reach).map(|at| (-0.5 * (f32::from(at) / sigma).powi(2)).exp());
    let sum = 2.0 * weights.clone().sum::<f32>() - 1.0;
    weights.map(|weight| weight / sum).collect()
}

widest! {
    fn across_rows(values: &[f32], weights: &[f32], taps: &[usize], width: usize, made: &mut [f32]) {
        for column in (0..width).step_by(TILE) {
            let rows = taps.chunks_exact(2 * weights.len() - 1);
            for (taps, made) in rows.zip(made.chunks_exact_mut(width + 2 * MARGIN)) {
                let mut sums = [0.0; TILE];
                set(&mut sums, tile(values, taps[0] + column), weights[0]);
                for (pair, weight) in taps[1..].as_chunks::<2>().0.iter().zip(&weights[1..]) {
                    let (above, below) = (tile(values, pair[0] + column), tile(values, pair[1] + column));
                    add(&mut sums, above, below, *weight);
                }
                made[MARGIN + column..][..TILE].copy_from_slice(&sums);
            }
        }
    }
}

widest! {
    fn across_columns(row: &[f32], weights: &[f32], made: &mut [f32]) {
        for (number, made) in made.as_chunks_mut::<TILE>().0.iter_mut().enumerate() {
            let column = MARGIN + number * TILE;
            set(made, tile(row, column), weights[0]);
            for (weight, away) in weights[1..].iter().zip(1..) {
                add(made, tile(row, column - away), tile(row, column + away), *weight);
            }
        }
    }
}

#[expect(
    clippy::inline_always,
    reason = "must become part of the loops that use it"
)]
#[inline(always)]
fn set(sums: &mut [f32; TILE], values: &[f32; TILE], weight: f32) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum = value * weight;
    }
}

#[expect(
    clippy::inline_always,
    reason = "must become part of the loops that use it"
)]
#[inline(always)]
fn add(sums: &mut [f32; TILE], one: &[f32; TILE], other: &[f32; TILE], weight: f32) {
    for ((sum, one), other) in sums.iter_mut().zip(one).zip(other) {
        *sum += (one + other) * weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_that_is_cut_off_blurs_no_less() {
        for sigma in [1.2, 1.5, 2.0, 2.5, 3.1] {
            let kernel = Kernel::new(sigma);
            let sides = kernel.weights.iter().zip(0_u16..);
            let moment = |power: i32| {
                sides
                    .clone()
                    .map(|(weight, at)| 2.0 * weight * f32::from(at).powi(power))
                    .sum::<f32>()
            };
            assert!((moment(0) - kernel.weights[0] - 1.0).abs() < 1e-5);
            assert!(
                (moment(2).sqrt() / sigma - 1.0).abs() < 3e-3,
                "{sigma} {}",
                moment(2)
            );
        }
    }

    #[test]
    fn what_is_flat_stays_flat() {
        let kernel = Kernel::new(2.0);
        let (mut row, mut made) = (vec![0.0; TILE + 2 * MARGIN], vec![0.0; TILE]);
        row[MARGIN..MARGIN + 20].fill(7.0);
        kernel.across_columns(&mut row, 20, &mut made);
        assert!(
            made[..20]
                .iter()
                .all(|value| (value - 7.0_f32).abs() < 1e-5),
            "{made:?}"
        );
    }
}
