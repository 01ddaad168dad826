//! Sizes and states of an index, for operators.

use super::graph::Graph;
use super::{Options, segment};
use crate::store::{self, Store};

/// What [`Index::statistics`](super::Index::statistics) answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    /// What is in memory, on disk, and applied; every search compares all rows of the tail.
    pub store: store::Statistics,
    /// Distinct embeddings in segments.
    pub sealed_nodes: u64,
    /// Distinct embeddings that graphs do not find, compared with every query.
    pub unreachable_nodes: u64,
    /// Bytes of memory beside mapped files: tail and graph bookkeeping.
    pub memory_bytes: u64,
}

impl Statistics {
    pub(crate) fn of(store: &Store<Options>) -> Self {
        let snapshot = store.snapshot();
        let sum = |part: &dyn Fn(&segment::Segment) -> usize| {
            snapshot.segments.iter().map(|s| part(s) as u64).sum()
        };
        let shared = store::Statistics::of(store);
        let graphs: u64 = sum(&|segment| segment.graph().map_or(0, Graph::memory_bytes));
        let tail_bytes = shared.tail_rows * (2 * store.kind().dim as u64 + 16);
        Self {
            store: shared,
            sealed_nodes: sum(&|segment| segment.table().node_count()),
            unreachable_nodes: sum(&|segment| segment.table().unreachable().len()),
            memory_bytes: graphs + tail_bytes,
        }
    }
}
