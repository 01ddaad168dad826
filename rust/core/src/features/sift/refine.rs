//! Where between the samples an extremum lies, and whether it is distinct enough to be found again.

use super::extrema::{BORDER, Differences, STEPS};
use super::{CONTRAST, EDGE, LAYERS, SIGMA};

/// Steps to a better sample before an extremum is given up.
const STEPS_ASIDE: usize = 5;
const BRIGHTEST: f32 = 255.0;

/// A sample of an octave's differences.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) column: usize,
    pub(super) row: usize,
    pub(super) layer: usize,
}

/// A keypoint that is not described yet.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) octave: u8,
    pub(super) place: Place,
    /// Column and row, in pixels of the octave.
    pub(super) at: [f32; 2],
    /// Standard deviation of the blur at which it is strongest, in pixels of the octave.
    pub(super) sigma: f32,
    /// Contrast, as a share of all there can be.
    pub(super) response: f32,
}

/// First and second derivatives of a difference.
struct Slopes {
    value: f32,
    first: [f32; 3],
    /// xx, yy, ss, xy, xs, ys.
    second: [f32; 6],
}

/// Return the keypoint at an extremum, of an octave of this width and height; None if it is too weak or lies on an edge.
pub(super) fn refined(
    differences: &Differences,
    octave: u8,
    start: Place,
    size: (usize, usize),
) -> Option<Found> {
    let mut place = start;
    for _ in 0..STEPS_ASIDE {
        let slopes = Slopes::at(differences, place);
        let [x, y, s] = slopes.summit()?;
        if x.abs() < 0.5 && y.abs() < 0.5 && s.abs() < 0.5 {
            let response = slopes.response([x, y, s])?;
            return Some(Found {
                octave,
                place,
                at: [place.column as f32 + x, place.row as f32 + y],
                sigma: SIGMA * ((place.layer as f32 + s) / LAYERS as f32).exp2(),
                response,
            });
        }
        place =
            moved(place, [x, y, s], size).filter(|place| place.row.abs_diff(start.row) < BORDER)?;
    }
    None
}

/// Return the sample nearest to a summit, if keypoints may be there.
fn moved(place: Place, summit: [f32; 3], (width, height): (usize, usize)) -> Option<Place> {
    let [column, row, layer] = [place.column, place.row, place.layer];
    let beside = |at: usize, away: f32| at.checked_add_signed(away.round_ties_even() as isize);
    let place = Place {
        column: beside(column, summit[0])?,
        row: beside(row, summit[1])?,
        layer: beside(layer, summit[2])?,
    };
    let inside = (BORDER..width - BORDER).contains(&place.column)
        && (BORDER..height - BORDER).contains(&place.row)
        && (1..=LAYERS).contains(&place.layer);
    inside.then_some(place)
}

impl Slopes {
    fn at(differences: &Differences, Place { column, row, layer }: Place) -> Self {
        let cube: [[[f32; 3]; 3]; 3] = std::array::from_fn(|s| {
            std::array::from_fn(|y| {
                let values = differences.row(layer + s - 1, row + y - 1);
                std::array::from_fn(|x| f32::from(values[column + x - 1]))
            })
        });
        let [before, here, after] = cube;
        let value = here[1][1];
        let bend = |one: f32, other: f32| one + other - 2.0 * value;
        Self {
            value,
            first: [
                0.5 * (here[1][2] - here[1][0]),
                0.5 * (here[2][1] - here[0][1]),
                0.5 * (after[1][1] - before[1][1]),
            ],
            second: [
                bend(here[1][2], here[1][0]),
                bend(here[2][1], here[0][1]),
                bend(after[1][1], before[1][1]),
                0.25 * (here[2][2] - here[2][0] - here[0][2] + here[0][0]),
                0.25 * (after[1][2] - after[1][0] - before[1][2] + before[1][0]),
                0.25 * (after[2][1] - after[0][1] - before[2][1] + before[0][1]),
            ],
        }
    }

    /// Return how far away, in x, y and scale, the parabola through the samples has its summit.
    fn summit(&self) -> Option<[f32; 3]> {
        let [xx, yy, ss, xy, xs, ys] = self.second;
        let [x, y, s] = self.first;
        let minors = [yy * ss - ys * ys, xs * ys - xy * ss, xy * ys - xs * yy];
        let determinant = xx * minors[0] + xy * minors[1] + xs * minors[2];
        let others = [xx * ss - xs * xs, xy * xs - xx * ys, xx * yy - xy * xy];
        let summit = [
            minors[0] * x + minors[1] * y + minors[2] * s,
            minors[1] * x + others[0] * y + others[1] * s,
            minors[2] * x + others[1] * y + others[2] * s,
        ]
        .map(|part| -part / determinant);
        summit.iter().all(|part| part.is_finite()).then_some(summit)
    }

    /// Return the contrast at the summit, unless it is too small or much larger across than along an edge.
    fn response(&self, summit: [f32; 3]) -> Option<f32> {
        let rise: f32 = self
            .first
            .iter()
            .zip(summit)
            .map(|(slope, away)| slope * away)
            .sum();
        let response = (self.value + 0.5 * rise).abs() / (BRIGHTEST * STEPS);
        let [xx, yy, _, xy, ..] = self.second;
        let (trace, determinant) = (xx + yy, xx * yy - xy * xy);
        let round = determinant > 0.0 && trace * trace * EDGE < (EDGE + 1.0).powi(2) * determinant;
        (round && response * LAYERS as f32 >= CONTRAST).then_some(response)
    }
}
