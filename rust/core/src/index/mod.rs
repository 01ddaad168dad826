//! The vector index: unit rows by key, in files that can be thrown away at any moment.
//!
//! Rows lie in a [`store`](crate::store): segments hold f16 rows and a table, and from some tens of thousands of rows on
//! these rows lie in a `USearch` graph; the tail is compared exactly.
//!
//! Each distinct embedding is one node, however many views have it, and nodes that a finished graph does not find are
//! compared with every query. A filter becomes a few ranges of rows, since rows lie by artist, also in the graph's file:
//! these are all compared, or looked for among the candidates of a wider search, whichever costs less.

use std::path::Path;

use crate::store::manifest::SegmentMark;
use crate::store::{
    Kept, Kind, Place, Source, filter, folder, manifest, memory, ranking, sections,
};
use crate::{Error, Result};

mod arrange;
mod graph;
mod plan;
mod probe;
mod product;
mod rows;
mod seal;
mod segment;
mod statistics;
mod table;
mod tail;

pub use crate::store::{Artists, Hit};
pub use statistics::Statistics;

/// Largest number of hits of a search.
pub const MAX_K: usize = 1000;
/// Largest dimension.
const MAX_DIM: usize = 1 << 14;

/// What an index is told when it is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Values in a vector.
    pub dim: usize,
    /// Engine that makes the vectors; files of another engine are not used.
    pub fingerprint: String,
    /// Rows that are compared exactly before they are sealed into a graph, and behind a filter.
    pub tail_rows: usize,
    /// Threads that build a graph, 1 or 2: with more, `USearch` loses nodes.
    pub build_threads: usize,
}

impl Options {
    fn check(&self) -> Result<()> {
        let refuse = |message: &str| Err(Error::BadRequest(message.to_owned()));
        match self {
            Self {
                dim: 0 | MAX_DIM.., ..
            } => refuse("the dimension of an index must be 1 to 16383"),
            Self {
                tail_rows: 0 | 10_000_000..,
                ..
            } => refuse("the tail of an index must be 1 to 9999999 rows"),
            Self {
                build_threads: 0 | 3..,
                ..
            } => refuse("an index is built by 1 or 2 threads"),
            _ => Ok(()),
        }
    }
}

impl Kind for Options {
    type Block = tail::Block;
    type Segment = segment::Segment;

    fn contents(&self) -> String {
        format!("{} values by cosine", self.dim)
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn tail_rows(&self) -> usize {
        self.tail_rows
    }

    fn open(&self, folder: &Path, mark: SegmentMark) -> Result<segment::Segment> {
        segment::Segment::open(folder, mark, self)
    }

    fn build(&self, source: &Source<Self>, place: &Place<'_>) -> Result<Option<SegmentMark>> {
        let work = seal::Work {
            dim: self.dim,
            graph_from: self.tail_rows,
            threads: self.build_threads,
            stop: place.stop,
        };
        source.build(place, &work)
    }
}

/// An open index. Every method may be called from any thread at any time.
pub struct Index {
    store: Kept<Options>,
}

impl Index {
    /// Open the index in `folder`, or make one.
    ///
    /// # Errors
    /// `BadRequest` for options out of range, `Store` when the folder cannot be used.
    pub fn open(folder: &Path, options: Options) -> Result<Self> {
        options.check()?;
        let store = Kept::open(folder, options)?;
        Ok(Self { store })
    }

    /// Number of keys that can be found.
    pub fn len(&self) -> u64 {
        self.store.len()
    }

    /// Whether nothing can be found.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The catalog sequence up to which changes were applied.
    pub fn sequence(&self) -> u64 {
        self.store.sequence()
    }

    /// Note that all changes up to `sequence` have been applied; it never goes back.
    pub fn advance(&self, sequence: u64) {
        self.store.advance(sequence);
    }

    /// Put `(n,)` keys with `(n, dim)` unit rows and `(n,)` artists. Keys that are present or were removed are ignored.
    ///
    /// # Errors
    /// `BadRequest` when lengths disagree or a row is not a finite unit vector: none were put then.
    pub fn put(&self, keys: &[u64], rows: &[f32], artists: &[i64]) -> Result<()> {
        let dim = self.store.kind().dim;
        if keys.len() != artists.len() || rows.len() != keys.len() * dim {
            return Err(Error::BadRequest(
                "keys, vectors and artists must be of the same length".to_owned(),
            ));
        }
        self.store.check_open()?;
        rows::check_rows(rows, dim)?;
        let rows = rows::to_half(rows);
        self.store.put(&tail::Block::of(dim, keys, artists, rows))
    }

    /// Make keys unfindable for good, also those put later; returns how many were there.
    ///
    /// # Errors
    /// `Store` when the index is closed.
    pub fn remove(&self, keys: &[u64]) -> Result<u64> {
        self.store.remove(keys)
    }

    /// For each of `(n, dim)` unit rows the `k` best hits, best first, of these artists or of all.
    ///
    /// # Errors
    /// `BadRequest` when `k` is not 1 to 1000 or a row is not a finite unit vector.
    pub fn search(
        &self,
        rows: &[f32],
        k: usize,
        artists: Option<&Artists>,
    ) -> Result<Vec<Vec<Hit>>> {
        let dim = self.store.kind().dim;
        if !(1..=MAX_K).contains(&k) {
            return Err(Error::BadRequest(format!("k must be 1 to {MAX_K}")));
        }
        if !rows.len().is_multiple_of(dim) {
            return Err(Error::BadRequest(format!("vectors must have {dim} values")));
        }
        rows::check_rows(rows, dim)?;
        self.store.check_open()?;
        let snapshot = self.store.snapshot();
        rows.chunks_exact(dim)
            .map(|row| snapshot.search(row, k, artists))
            .collect()
    }

    /// Write everything applied so far; false when another process is the one that writes.
    ///
    /// # Errors
    /// `Store` when the files cannot be written; the index goes on as before.
    pub fn checkpoint(&self) -> Result<bool> {
        self.store.seal()
    }

    /// Sizes and states.
    pub fn statistics(&self) -> Statistics {
        Statistics::of(&self.store)
    }

    /// What an operator should know since the last call: files that were not used, seals that failed.
    pub fn notices(&self) -> Vec<String> {
        self.store.take_notices()
    }

    /// Stop background work and let the files go; further calls are refused. Closing twice is allowed.
    pub fn close(&self) {
        self.store.close();
    }
}
