//! Sizes and states that every index has, for operators.

use super::manifest::SegmentMark;
use super::{Kind, Segment, Store, blocks};

/// What is in memory, on disk, and applied.
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
    /// Segments, however small.
    pub segments: u64,
    /// Views in segments, removed ones included.
    pub sealed_entries: u64,
    /// Rows in memory.
    pub tail_rows: u64,
    /// Bytes of the files in use.
    pub file_bytes: u64,
    /// Whether this process is the one that writes.
    pub owner: bool,
}

impl Statistics {
    pub(crate) fn of<K: Kind>(store: &Store<K>) -> Self {
        let snapshot = store.snapshot();
        let marks = || snapshot.segments.iter().map(|segment| segment.mark());
        Self {
            keys: store.len(),
            removed: snapshot.removed.len(),
            sequence: store.sequence(),
            sealed_sequence: snapshot.sealed_sequence,
            generation: snapshot.generation,
            segments: snapshot.segments.len() as u64,
            sealed_entries: marks().map(|mark| mark.entries).sum(),
            tail_rows: blocks::rows(&snapshot.blocks) as u64,
            file_bytes: marks().map(SegmentMark::bytes).sum(),
            owner: store.is_owner(),
        }
    }
}
