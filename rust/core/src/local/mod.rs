//! The local index: views by the visual words of their features, for photos that show a view in part and at a slant.
//!
//! A view has some hundreds of local features. The verifier packs them: each has a visual word, a 64-bit signature that
//! says where in the word's cell it lies, and a place in the picture. The index is an inverted file: a list for each
//! word, of the signatures and places of all features that have it, 16 bytes each. Lists lie in a
//! [`store`](crate::store); tail and segments have the same form.
//!
//! A search goes through the lists of the words that a photo's features are near to, and takes the features whose
//! signatures differ in few bits (Hamming embedding, Jegou 2008). Each gives its view a vote that weighs more the
//! nearer it is and less the more views it is like; of several for one feature and view only the nearest counts. The
//! views with the greatest votes are judged by geometry: the score is the weight of the matches that agree on one
//! similarity between view and photo. Scores depend on the views that can be found and on nothing else, not on where
//! they lie or what was removed.

use std::path::Path;

use crate::store::manifest::SegmentMark;
use crate::store::{self, Artists, Hit, Kept, Kind, Place, Source};
use crate::{Error, Result};

mod block;
mod geometry;
mod hamming;
mod lists;
mod matches;
mod merge;
pub mod packed;
mod query;
mod segment;
mod vote;

pub use packed::Packed;
pub use query::{Arrays, Query};

type Snapshot = store::Snapshot<Options>;

/// Largest number of hits of a search.
pub const MAX_K: usize = 1000;

/// What an index is told when it is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Verifier that describes the views; files of another verifier are not used.
    pub fingerprint: String,
    /// Views that are kept in memory before they are sealed.
    pub tail_rows: usize,
    /// Bits in which the signatures of like features differ at most.
    pub threshold: u8,
}

impl Options {
    fn check(&self) -> Result<()> {
        let refuse = |message: &str| Err(Error::BadRequest(message.to_owned()));
        match self {
            Self {
                tail_rows: 0 | 1_000_000..,
                ..
            } => refuse("the tail of a local index must be 1 to 999999 views"),
            Self {
                threshold: 33.., ..
            } => refuse("the threshold of a local index must be 0 to 32 bits"),
            _ => Ok(()),
        }
    }
}

impl Kind for Options {
    type Block = block::Block;
    type Segment = segment::Segment;

    fn contents(&self) -> String {
        "local features by word".to_owned()
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
        segment::build(source, place)
    }
}

/// Sizes and states of a local index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    /// What is in memory, on disk, and applied.
    pub store: store::Statistics,
    /// Features in segments and tail, those of removed views included.
    pub postings: u64,
    /// Bytes of the tail.
    pub memory_bytes: u64,
}

/// An open index. Every method may be called from any thread at any time.
pub struct LocalIndex {
    store: Kept<Options>,
}

impl LocalIndex {
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

    /// Put `(n,)` keys with `(n,)` packed features and artists. Keys that are present or were removed are ignored.
    ///
    /// # Errors
    /// `BadRequest` when lengths disagree or features are not packed ones: none were put then.
    pub fn put(&self, keys: &[u64], features: &[&[u8]], artists: &[i64]) -> Result<()> {
        if keys.len() != artists.len() || keys.len() != features.len() {
            return Err(Error::BadRequest(
                "keys, features and artists must be of the same length".to_owned(),
            ));
        }
        self.store.check_open()?;
        let features: Vec<_> = features
            .iter()
            .map(|bytes| Packed::parse(bytes))
            .collect::<Result<_>>()?;
        self.store.put(&block::Block::of(keys, &features, artists))
    }

    /// Make keys unfindable for good, also those put later; returns how many were there.
    ///
    /// # Errors
    /// `Store` when the index is closed.
    pub fn remove(&self, keys: &[u64]) -> Result<u64> {
        self.store.remove(keys)
    }

    /// The `k` best views, best first, of these artists or of all; only views that share a feature with the photo.
    ///
    /// # Errors
    /// `BadRequest` when `k` is not 1 to 1000.
    pub fn search(&self, query: &Query, k: usize, artists: Option<&Artists>) -> Result<Vec<Hit>> {
        if !(1..=MAX_K).contains(&k) {
            return Err(Error::BadRequest(format!("k must be 1 to {MAX_K}")));
        }
        self.store.check_open()?;
        let snapshot = self.store.snapshot();
        Ok(snapshot.search(query, k, artists, self.store.kind()))
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
        let snapshot = self.store.snapshot();
        let sealed = snapshot.segments.iter().map(|segment| segment.lists());
        let newer = snapshot.blocks.iter().map(|block| block.lists());
        Statistics {
            store: store::Statistics::of(&self.store),
            postings: sealed
                .chain(newer)
                .map(|lists| lists.spots.len() as u64)
                .sum(),
            memory_bytes: snapshot
                .blocks
                .iter()
                .map(|block| block.memory_bytes() as u64)
                .sum(),
        }
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

#[cfg(test)]
mod tests;
