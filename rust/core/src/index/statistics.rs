//! Sizes and states of an index, for operators.

use super::store::Store;
use super::tail;

/// What [`Index::statistics`](super::Index::statistics) answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    /// Keys that can be found.
    pub keys: u64,
    /// Keys removed ever.
    pub removed: u64,
    /// Catalog sequence applied.
    pub sequence: u64,
    /// Catalog sequence that is on disk.
    pub sealed_sequence: u64,
    /// Generation on disk that is in use; 0 before the first.
    pub generation: u64,
    /// Segments, with and without a graph.
    pub segments: u64,
    /// Views in segments, removed ones included.
    pub sealed_entries: u64,
    /// Distinct embeddings in segments.
    pub sealed_nodes: u64,
    /// Distinct embeddings that graphs do not find, compared with every query.
    pub unreachable_nodes: u64,
    /// Rows in memory that every search compares.
    pub tail_rows: u64,
    /// Bytes of the files in use.
    pub file_bytes: u64,
    /// Bytes of memory beside mapped files: tail and graph bookkeeping.
    pub memory_bytes: u64,
    /// Whether this process is the one that writes.
    pub owner: bool,
}

impl Statistics {
    pub(crate) fn of(store: &Store) -> Self {
        let snapshot = store.snapshot();
        let sum = |part: &dyn Fn(&super::segment::Segment) -> u64| {
            snapshot.segments.iter().map(|s| part(s)).sum()
        };
        let tail_rows = tail::rows(&snapshot.blocks) as u64;
        let graphs: u64 = sum(&|segment| {
            segment
                .graph()
                .map_or(0, |graph| graph.memory_bytes() as u64)
        });
        Self {
            keys: store.len(),
            removed: snapshot.removed.len(),
            sequence: store.sequence(),
            sealed_sequence: snapshot.sealed_sequence,
            generation: snapshot.generation,
            segments: snapshot.segments.len() as u64,
            sealed_entries: sum(&|segment| segment.mark().entries),
            sealed_nodes: sum(&|segment| segment.mark().nodes),
            unreachable_nodes: sum(&|segment| segment.table().unreachable().len() as u64),
            tail_rows,
            file_bytes: sum(&|segment| segment.mark().bytes()),
            memory_bytes: graphs + tail_rows * (2 * store.options().dim as u64 + 16),
            owner: store.is_owner(),
        }
    }
}
