//! What a search sees: segments, tail and removed keys of one moment, none of which ever changes.

use std::sync::Arc;

use roaring::RoaringTreemap;

use super::filter::Artists;
use super::probe::Query;
use super::ranking::{Hit, Ranking};
use super::segment::Segment;
use super::tail::{self, Block};
use crate::Result;

/// The state of an index at one moment.
#[derive(Clone, Default)]
pub(crate) struct Snapshot {
    /// Generation on disk that the segments are those of; 0 before the first.
    pub(crate) generation: u64,
    /// Sequence of that generation.
    pub(crate) sealed_sequence: u64,
    /// Oldest first.
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) blocks: Vec<Arc<Block>>,
    pub(crate) removed: Arc<RoaringTreemap>,
}

impl Snapshot {
    /// The `k` best hits, best first.
    pub(crate) fn search(
        &self,
        row: &[f32],
        k: usize,
        filter: Option<&Artists>,
    ) -> Result<Vec<Hit>> {
        let query = Query::new(row);
        let mut ranking = Ranking::new(k);
        for segment in &self.segments {
            segment.search(&query, filter, &self.removed, &mut ranking)?;
        }
        for block in &self.blocks {
            block.search(query.half(), filter, &self.removed, &mut ranking);
        }
        Ok(ranking.into_hits())
    }

    /// Rows outside graphs: every search compares each of them.
    pub(crate) fn exact_rows(&self) -> usize {
        let flat = self
            .segments
            .iter()
            .filter(|segment| segment.graph().is_none());
        tail::rows(&self.blocks)
            + flat
                .map(|segment| segment.table().node_count())
                .sum::<usize>()
    }

    /// Keys that are in a segment or in the tail and not removed.
    pub(crate) fn present(&self) -> RoaringTreemap {
        let mut keys: RoaringTreemap = self
            .blocks
            .iter()
            .flat_map(|block| block.keys().iter().copied())
            .collect();
        self.segments
            .iter()
            .for_each(|segment| keys |= segment.keys());
        keys - &*self.removed
    }

    /// The segments that the next seal takes in: all without a graph, those with many removed rows, and, oldest last,
    /// each that is not larger than all that is taken in before it.
    /// Empty when there is nothing to write: no tail, nothing worn.
    pub(crate) fn absorbed(&self) -> Vec<Arc<Segment>> {
        if self.blocks.is_empty() && !self.segments.iter().any(|segment| self.is_worn(segment)) {
            return Vec::new();
        }
        let mut size = tail::rows(&self.blocks) as u64;
        let mut absorbed = Vec::new();
        for segment in self.segments.iter().rev() {
            let entries = segment.keys().len();
            if segment.graph().is_none() || entries <= size || self.is_worn(segment) {
                size += entries;
                absorbed.push(Arc::clone(segment));
            }
        }
        absorbed
    }

    /// Whether an eighth of a segment is removed.
    pub(crate) fn is_worn(&self, segment: &Segment) -> bool {
        segment.keys().intersection_len(&self.removed) * 8 >= segment.keys().len()
    }
}
