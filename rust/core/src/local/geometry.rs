//! How far the matches of one view agree on where the view is in the photo.
//!
//! A match alone says how the view would have to be turned, enlarged and moved for its feature to come to lie on the
//! photo's. Each of the strongest matches proposes that, and every other adds its weight, the less the farther it would
//! miss. A photo taken at a slant is no such similarity, so what is missed may grow with the distance from the proposer.

use std::f32::consts::{PI, TAU};

use super::matches::Match;
use super::packed::Pose;
use super::query::Placement;

/// Matches that propose.
const PROPOSERS: usize = 32;
/// What a match near the proposer may miss, as a share of the view's longer side.
const MISS: f32 = 0.05;
/// What it may miss in addition, as a share of its distance from the proposer.
const MISS_BY_DISTANCE: f32 = 0.4;
/// Difference of turns, radians.
const TURN: f32 = 0.7;
/// Difference of enlargements, octaves.
const ENLARGEMENT: f32 = 1.2;

/// A match in the view's own measure, and what it proposes.
#[derive(Clone, Copy)]
struct Proposal {
    weight: f32,
    /// In the view, shares of its longer side.
    view: [f32; 2],
    /// In the photo, pixels.
    photo: [f32; 2],
    /// Radians.
    turn: f32,
    /// Octaves above one pixel for the view's longer side.
    enlargement: f32,
}

impl Proposal {
    fn of(item: &Match, weight: f32, placements: &[Placement]) -> Self {
        let pose = Pose::from_bits(item.pose);
        let place = placements[usize::from(item.feature)];
        Self {
            weight,
            view: [pose.x, pose.y].map(|share| (f32::from(share) + 0.5) / 256.0),
            photo: [place.x, place.y],
            turn: place.angle - f32::from(pose.angle) * (TAU / 256.0),
            enlargement: place.scale - (f32::from(pose.scale) / 16.0 - 10.0),
        }
    }

    /// The weight that `others` add to what this one proposes, its own included.
    fn support(&self, others: &[Self]) -> f32 {
        let size = self.enlargement.exp2();
        let (up, along) = self.turn.sin_cos();
        let agreement = |other: &Self| {
            let [x, y] = [0, 1].map(|axis| other.view[axis] - self.view[axis]);
            let [u, v] = [0, 1].map(|axis| (other.photo[axis] - self.photo[axis]) / size);
            let missed = [u - (along * x - up * y), v - (up * x + along * y)];
            let allowed = MISS + MISS_BY_DISTANCE * x.hypot(y);
            let turned = (other.turn - self.turn + PI).rem_euclid(TAU) - PI;
            let parts = [
                missed[0].hypot(missed[1]) / allowed,
                turned / TURN,
                (other.enlargement - self.enlargement) / ENLARGEMENT,
            ];
            let off: f32 = parts.iter().map(|part| part * part).sum();
            other.weight * (1.0 - off).max(0.0)
        };
        others.iter().map(agreement).sum()
    }
}

/// The greatest weight of matches that agree; `weights` are those of the photo's features, by distance in bits.
pub(crate) fn consensus(
    matches: &[Match],
    weight: impl Fn(&Match) -> f32,
    placements: &[Placement],
) -> f32 {
    let proposal = |item| Proposal::of(item, weight(item), placements);
    let mut proposals: Vec<_> = matches.iter().map(proposal).collect();
    proposals.sort_by(|left, right| right.weight.total_cmp(&left.weight));
    let proposers = proposals.iter().take(PROPOSERS);
    proposers
        .map(|proposer| proposer.support(&proposals))
        .fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Matches of a view that lies in the photo turned by `turn`, with a longer side of 300 pixels, at (50, 80).
    fn lying(turn: f32, views: &[(u8, u8)]) -> (Vec<Match>, Vec<Placement>) {
        let placed = |(feature, &(x, y)): (usize, &(u8, u8))| {
            let [u, v] = [x, y].map(|share| (f32::from(share) + 0.5) / 256.0 * 300.0);
            let pose = Pose {
                x,
                y,
                scale: 80,
                angle: 64,
            };
            let item = Match {
                slot: 0,
                pose: pose.to_bits(),
                feature: feature as u16,
                distance: 0,
            };
            let place = Placement {
                x: 50.0 + turn.cos() * u - turn.sin() * v,
                y: 80.0 + turn.sin() * u + turn.cos() * v,
                scale: 300f32.log2() + 80.0 / 16.0 - 10.0,
                angle: turn + TAU / 4.0,
            };
            (item, place)
        };
        views.iter().enumerate().map(placed).unzip()
    }

    const PLACES: [(u8, u8); 5] = [(10, 20), (200, 30), (120, 240), (60, 160), (250, 250)];

    #[test]
    fn matches_of_a_turned_view_agree() {
        for turn in [0.0, 1.0, -3.1, 20.0] {
            let (matches, places) = lying(turn, &PLACES);
            let agreed = consensus(&matches, |_| 0.5, &places);
            assert!((agreed - 2.5).abs() < 1e-2, "{agreed} at {turn}");
        }
    }

    #[test]
    fn a_match_elsewhere_adds_nothing() {
        let (matches, mut places) = lying(0.4, &PLACES);
        places[2].x += 200.0;
        places[3].angle += 2.0;
        places[4].scale += 2.0;
        let agreed = consensus(&matches, |_| 1.0, &places);
        assert!((agreed - 2.0).abs() < 1e-2, "{agreed}");
    }

    #[test]
    fn a_single_match_agrees_with_itself() {
        let (matches, places) = lying(0.4, &PLACES[..1]);
        assert!((consensus(&matches, |_| 0.25, &places) - 0.25).abs() < 1e-6);
        assert!(consensus(&[], |_| 0.25, &places).abs() < 1e-6);
    }
}
