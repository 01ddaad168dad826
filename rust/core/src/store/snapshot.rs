//! What a search sees: segments, tail and removed keys of one moment, none of which ever changes.

use std::sync::Arc;

use roaring::RoaringTreemap;

use super::{Block, Kind, Segment, blocks};

/// The state of an index at one moment.
pub(crate) struct Snapshot<K: Kind> {
    /// Generation on disk that the segments are those of; 0 before the first.
    pub(crate) generation: u64,
    /// Sequence of that generation.
    pub(crate) sealed_sequence: u64,
    /// Oldest first.
    pub(crate) segments: Vec<Arc<K::Segment>>,
    pub(crate) blocks: Vec<Arc<K::Block>>,
    pub(crate) removed: Arc<RoaringTreemap>,
}

impl<K: Kind> Clone for Snapshot<K> {
    fn clone(&self) -> Self {
        Self {
            segments: self.segments.clone(),
            blocks: self.blocks.clone(),
            removed: Arc::clone(&self.removed),
            ..*self
        }
    }
}

impl<K: Kind> Default for Snapshot<K> {
    fn default() -> Self {
        Self {
            generation: 0,
            sealed_sequence: 0,
            segments: Vec::new(),
            blocks: Vec::new(),
            removed: Arc::default(),
        }
    }
}

impl<K: Kind> Snapshot<K> {
    /// Rows of the tail and of segments that are still small.
    pub(crate) fn loose_rows(&self) -> usize {
        let small = self.segments.iter().map(|segment| segment.loose_rows());
        blocks::rows(&self.blocks) + small.sum::<usize>()
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

    /// The segments that the next seal takes in: all small ones, those with many removed rows, and, oldest last, each
    /// that is not larger than all that is taken in before it.
    /// Empty when there is nothing to write: no tail, nothing worn.
    pub(crate) fn absorbed(&self) -> Vec<Arc<K::Segment>> {
        if self.blocks.is_empty() && !self.segments.iter().any(|segment| self.is_worn(segment)) {
            return Vec::new();
        }
        let mut size = blocks::rows(&self.blocks) as u64;
        let mut absorbed = Vec::new();
        for segment in self.segments.iter().rev() {
            let entries = segment.keys().len();
            if segment.loose_rows() > 0 || entries <= size || self.is_worn(segment) {
                size += entries;
                absorbed.push(Arc::clone(segment));
            }
        }
        absorbed
    }

    /// Whether an eighth of a segment is removed.
    pub(crate) fn is_worn(&self, segment: &K::Segment) -> bool {
        segment.keys().intersection_len(&self.removed) * 8 >= segment.keys().len()
    }
}
