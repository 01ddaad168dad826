//! The directions into which a patch mostly rises.

use super::gradient::{Gradients, RUN, bell, gradients};
use super::level::Level;
use super::refine::Found;
use super::rows::nearest;
use crate::features::widest::widest;

/// Directions that are told apart.
const BINS: usize = 36;
/// Room for them and what is beside them; a power of two, so that no index is out of bounds.
const ROOM: usize = 64;
/// Size of the patch, in the keypoint's own blur.
const SIGMAS: f32 = 1.5;
const REACH: f32 = 3.0 * SIGMAS;
/// A direction counts from this share of the strongest on.
const STRONG: f32 = 0.8;

/// Return the directions of a keypoint, anticlockwise from the right, as shares of a turn; most have one.
pub(super) fn directions(level: &Level, found: &Found) -> impl Iterator<Item = f32> + use<> {
    let reach = (REACH * found.sigma).round_ties_even() as usize;
    let weights = bell(SIGMAS * found.sigma, reach);
    let mut counts = [0.0; ROOM];
    let middle = (found.place.column, found.place.row);
    count(level, middle, &weights, &mut counts);
    counts[0] += counts[BINS];
    let bin = |number: usize| counts[number % BINS];
    let smooth: [f32; BINS] = std::array::from_fn(|at| {
        let (near, far) = (
            bin(at + BINS - 1) + bin(at + 1),
            bin(at + BINS - 2) + bin(at + 2),
        );
        (6.0 * bin(at) + 4.0 * near + far) / 16.0
    });
    let strong = STRONG * smooth.iter().fold(0.0_f32, |most, &value| most.max(value));
    (0..BINS).filter_map(move |at| {
        let [before, here, after] = [at + BINS - 1, at, at + 1].map(|bin| smooth[bin % BINS]);
        let peak = here > before && here > after && here >= strong;
        let aside = 0.5 * (before - after) / (before - 2.0 * here + after);
        peak.then(|| ((at as f32 + aside) / BINS as f32).rem_euclid(1.0))
    })
}

widest! {
    fn count(level: &Level, middle: (usize, usize), weights: &[f32], counts: &mut [f32; ROOM]) {
        let reach = (weights.len() - RUN) / 2;
        let (first_column, first_row) = (middle.0.saturating_sub(reach).max(1), middle.1.saturating_sub(reach).max(1));
        let last_column = (middle.0 + reach).min(level.width - 2);
        let last_row = (middle.1 + reach).min(level.height - 2);
        for row in first_row..=last_row {
            let high = weights[row + reach - middle.1];
            for column in (first_column..=last_column).step_by(RUN) {
                let Gradients { sizes, turns } = gradients(level, column, row);
                let wide = &weights[column + reach - middle.0..][..RUN];
                let (mut bins, mut parts) = ([0; RUN], [0.0; RUN]);
                for at in 0..RUN {
                    bins[at] = nearest(turns[at] * BINS as f32);
                    parts[at] = sizes[at] * wide[at] * high;
                }
                let inside = (last_column + 1 - column).min(RUN);
                for (bin, part) in bins.iter().zip(&parts).take(inside) {
                    counts[*bin as usize % ROOM] += part;
                }
            }
        }
    }
}
