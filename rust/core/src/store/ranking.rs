//! The best `k` of what a search has seen so far.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// A key with its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// View key.
    pub key: u64,
    /// Cosine similarity or votes, higher is better.
    pub score: f32,
}

impl Eq for Hit {}

impl Ord for Hit {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score
            .total_cmp(&other.score)
            .then(other.key.cmp(&self.key))
    }
}

impl PartialOrd for Hit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Keeps the best `k` hits.
pub(crate) struct Ranking {
    k: usize,
    worst_first: BinaryHeap<Reverse<Hit>>,
}

impl Ranking {
    pub(crate) fn new(k: usize) -> Self {
        Self {
            k,
            worst_first: BinaryHeap::with_capacity(k + 1),
        }
    }

    /// How many hits are wanted.
    pub(crate) fn k(&self) -> usize {
        self.k
    }

    /// Whether a hit of this score would be kept; cheaper than preparing the hit.
    pub(crate) fn takes(&self, score: f32) -> bool {
        self.worst_first.len() < self.k
            || self
                .worst_first
                .peek()
                .is_some_and(|worst| score > worst.0.score)
    }

    /// Offer a hit; each key may be offered once.
    pub(crate) fn offer(&mut self, hit: Hit) {
        self.worst_first.push(Reverse(hit));
        if self.worst_first.len() > self.k {
            self.worst_first.pop();
        }
    }

    /// The hits, best first.
    pub(crate) fn into_hits(self) -> Vec<Hit> {
        self.worst_first
            .into_sorted_vec()
            .into_iter()
            .map(|Reverse(hit)| hit)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keeps_the_best_in_order(scores in prop::collection::vec(-1.0f32..1.0, 0..100), k in 1usize..20) {
            let mut ranking = Ranking::new(k);
            for (key, &score) in scores.iter().enumerate() {
                if ranking.takes(score) {
                    ranking.offer(Hit { key: key as u64, score });
                }
            }
            let kept: Vec<f32> = ranking.into_hits().iter().map(|hit| hit.score).collect();
            let mut sorted = scores.clone();
            sorted.sort_by(|a, b| b.total_cmp(a));
            sorted.truncate(k);
            prop_assert_eq!(kept, sorted);
        }
    }
}
