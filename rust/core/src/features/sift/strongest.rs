//! The strongest keypoints of all that are found, without keeping the others.

use super::refine::Found;
use super::{CONTRAST, LAYERS};

/// Share of a keypoint's contrast that the sample next to it has at least.
const SAMPLED: f32 = 0.5;
const BRIGHTEST: f32 = 255.0;

/// The strongest keypoints so far.
pub(super) struct Strongest {
    count: usize,
    found: Vec<Found>,
    least: f32,
}

impl Strongest {
    /// Keep the `count` strongest.
    pub(super) fn new(count: usize) -> Self {
        Self {
            count,
            found: Vec::new(),
            least: CONTRAST / LAYERS as f32,
        }
    }

    /// Return the least difference, in gray values, that may yet become one of them.
    pub(super) fn least_difference(&self) -> f32 {
        SAMPLED * BRIGHTEST * self.least
    }

    /// Take a keypoint into account.
    pub(super) fn offer(&mut self, found: Option<Found>) {
        self.found
            .extend(found.filter(|found| found.response >= self.least));
        if self.found.len() >= 2 * self.count.max(1) {
            self.sort();
            if let Some(last) = self.found.get(self.count.saturating_sub(1)) {
                self.least = last.response;
            }
        }
    }

    /// Return them, strongest first.
    pub(super) fn into_sorted(mut self) -> Vec<Found> {
        self.sort();
        self.found
    }

    fn sort(&mut self) {
        self.found.sort_unstable_by(|one, other| {
            let place = |found: &Found| (found.octave, found.place);
            other
                .response
                .total_cmp(&one.response)
                .then_with(|| place(one).cmp(&place(other)))
        });
        // several samples may lead to one summit
        self.found.dedup_by_key(|found| (found.octave, found.place));
        self.found.truncate(self.count);
    }
}
