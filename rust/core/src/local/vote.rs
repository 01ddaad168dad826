//! From matches to the best views.
//!
//! A match weighs the more the nearer its signatures are, and the less the more views its feature is like. The views
//! with the greatest votes, relative to how many features they have, are judged once more by their geometry.

use super::geometry::consensus;
use super::lists::Gone;
use super::matches::{Match, Searched, matches};
use super::query::Query;
use super::{Options, Snapshot};
use crate::store::ranking::Ranking;
use crate::store::{Artists, Hit, Segment as _};

/// Views whose geometry is looked at.
const SHORTLIST: usize = 512;
/// Distance in bits at which a match weighs 1/e of what one without distance does.
const BANDWIDTH: f32 = 16.0;

impl Snapshot {
    /// The `k` best views, best first.
    pub(crate) fn search(
        &self,
        query: &Query,
        k: usize,
        filter: Option<&Artists>,
        options: &Options,
    ) -> Vec<Hit> {
        let sources = self.searched();
        let found = matches(&sources, query, options.threshold);
        let weights = Weights::of(&found, query.len());
        let views: Vec<&[Match]> = found
            .chunk_by(|left, right| left.slot == right.slot)
            .collect();
        let mut shortlist = Ranking::new(SHORTLIST.max(k));
        for (number, view) in views.iter().enumerate() {
            let row = Row::of(&sources, view[0].slot);
            let score = view.iter().map(|item| weights.of_match(item)).sum::<f32>() / row.norm;
            if shortlist.takes(score) && filter.is_none_or(|artists| artists.contains(row.artist)) {
                shortlist.offer(Hit {
                    key: number as u64,
                    score,
                });
            }
        }
        let mut ranking = Ranking::new(k);
        for Hit { key: number, .. } in shortlist.into_hits() {
            let view = views[number as usize];
            let row = Row::of(&sources, view[0].slot);
            let agreed = consensus(view, |item| weights.of_match(item), query.placements());
            let score = agreed / (row.norm * f32::from(query.len() as u16).sqrt());
            ranking.offer(Hit {
                key: row.key,
                score,
            });
        }
        ranking.into_hits()
    }

    fn searched(&self) -> Vec<Searched<'_>> {
        let sealed = self
            .segments
            .iter()
            .map(|segment| (segment.lists(), segment.keys()));
        let newer = self.blocks.iter().map(|block| (block.lists(), block.set()));
        let mut slots = 0;
        let mut searched = Vec::new();
        for (lists, keys) in sealed.chain(newer) {
            let gone = Gone::among(lists.keys, keys, &self.removed);
            let first = slots;
            slots += lists.keys.len() as u32;
            searched.push(Searched { lists, gone, first });
        }
        searched
    }
}

/// What is known of a view.
struct Row {
    key: u64,
    artist: i64,
    /// Square root of its number of features.
    norm: f32,
}

impl Row {
    fn of(sources: &[Searched<'_>], slot: u32) -> Self {
        let source = &sources[sources.partition_point(|source| source.first <= slot) - 1];
        let slot = (slot - source.first) as usize;
        Self {
            key: source.lists.keys[slot],
            artist: source.lists.artists[slot],
            norm: f32::from(source.lists.counts[slot]).sqrt(),
        }
    }
}

/// What matches weigh.
struct Weights {
    by_distance: Vec<f32>,
    by_feature: Vec<f32>,
}

impl Weights {
    /// From all matches of a photo with so many features, one for each feature and view.
    fn of(matches: &[Match], features: usize) -> Self {
        let mut views = vec![0u16; features];
        for item in matches {
            views[usize::from(item.feature)] += 1;
        }
        let near = |distance: u16| (-(f32::from(distance) / BANDWIDTH).powi(2)).exp();
        Self {
            by_distance: (0..=64).map(near).collect(),
            by_feature: views
                .iter()
                .map(|&count| f32::from(count.max(1)).sqrt().recip())
                .collect(),
        }
    }

    fn of_match(&self, item: &Match) -> f32 {
        self.by_distance[usize::from(item.distance)] * self.by_feature[usize::from(item.feature)]
    }
}
