//! What every index keeps its rows in: files that can be thrown away at any moment, and a tail in memory.
//!
//! # Parts
//! A search looks at one immutable snapshot: **segments** on disk, a **tail** of newer rows in memory, and the set
//! of **removed** keys. Keys are never reused, so nothing is ever changed in place: a put appends to the tail, a removal
//! joins the set, and whoever changes anything replaces the snapshot as a whole. Searches never wait for writers. What a
//! row is, how a block of them is held in memory and a segment on disk, is for its kind to say.
//!
//! # Going to disk
//! **Sealing** turns the tail, together with the segments it has outgrown or that are worn by removals, into one new
//! segment, in the background and at low priority. Each seal makes a *generation*: new files are written under temporary
//! names, made durable, hashed and renamed; the manifest that names them and their hashes comes last. It also names
//! the catalog sequence S that segments and removals are complete up to; the tail is not kept, because whoever opens
//! the index replays the catalog from S. So a process may die at any instant: the newest manifest stands, files without
//! one are swept away. Two generations are kept.
//!
//! Opening hashes every file of the newest generation before any of it is used. If anything is missing, cut or changed,
//! the generation before it is taken, and if that is unsound too the index starts empty at sequence 0. Either way the
//! caller replays the catalog from the sequence it tells, and its notices say what happened.
//!
//! # Several processes
//! Each process holds an index of its own on the same folder and applies the catalog's changes to it. The one that holds
//! the lock file is the *owner*: it seals, sweeps and writes manifests. The others keep their tail in memory and look
//! once a second for a generation newer than theirs; they map its segments (shared memory, through the page cache) and
//! drop from their tail what those hold. If the owner dies the kernel frees its lock, and the first process that looks
//! becomes the owner, after it has taken over the newest generation. Files that a process has mapped stay alive until
//! it lets them go, even when they were swept.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use roaring::RoaringTreemap;

use crate::Result;

mod background;
pub(crate) mod blocks;
pub(crate) mod filter;
pub(crate) mod folder;
mod generation;
pub mod manifest;
pub(crate) mod memory;
pub(crate) mod ranking;
pub(crate) mod sections;
mod snapshot;
mod state;
mod statistics;
mod upkeep;

pub(crate) use background::Kept;
pub use filter::Artists;
use manifest::SegmentMark;
pub use ranking::Hit;
pub(crate) use snapshot::Snapshot;
pub(crate) use state::Store;
pub use statistics::Statistics;

/// One kind of index, as its options describe it: what its rows are, in memory and on disk.
pub(crate) trait Kind: Send + Sync + Sized + 'static {
    /// Rows in memory.
    type Block: Block;
    /// Rows on disk.
    type Segment: Segment<Block = Self::Block>;

    /// What a row is, in a few words; files that hold something else are not used.
    fn contents(&self) -> String;

    /// Engine that made the rows; files of another engine are not used.
    fn fingerprint(&self) -> &str;

    /// Loose rows from which on the tail is sealed.
    fn tail_rows(&self) -> usize;

    /// Map the files of a segment that is known to be sound.
    fn open(&self, folder: &Path, mark: SegmentMark) -> Result<Self::Segment>;

    /// Write the files of one segment, or none and answer None when no row is left.
    fn build(&self, source: &Source<Self>, place: &Place<'_>) -> Result<Option<SegmentMark>>;
}

/// Rows in memory, in the order in which they were put; it never changes.
pub(crate) trait Block: Send + Sync + Sized {
    /// The key of each row.
    fn keys(&self) -> &[u64];

    /// The rows of this block and those of a newer one.
    fn join(&self, newer: &Self) -> Self;

    /// The rows whose keys are to be kept; asks once for each, in their order.
    fn retain(&self, keep: impl FnMut(u64) -> bool) -> Self;
}

/// Verified and mapped rows; they never change.
pub(crate) trait Segment: Send + Sync {
    /// The form of its rows in memory.
    type Block;

    /// What the manifest says of it.
    fn mark(&self) -> &SegmentMark;

    /// Keys of all rows, removed ones included.
    fn keys(&self) -> &RoaringTreemap;

    /// Number of rows when it is so small that every seal takes it in; 0 otherwise.
    fn loose_rows(&self) -> usize;

    /// Copies of the rows whose keys are to be kept; asks once for each.
    fn retain(&self, keep: impl FnMut(u64) -> bool) -> Self::Block;
}

/// What becomes one segment.
pub(crate) struct Source<K: Kind> {
    pub(crate) segments: Vec<Arc<K::Segment>>,
    pub(crate) blocks: Vec<Arc<K::Block>>,
    pub(crate) removed: Arc<RoaringTreemap>,
}

/// Where a segment is written.
pub(crate) struct Place<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) id: u64,
    /// Ends the work early with an error when set.
    pub(crate) stop: &'a AtomicBool,
}
