//! The vector index: unit rows by key, in files that can be thrown away at any moment.
//!
//! # Parts
//! A search looks at one immutable [`snapshot`](snapshot::Snapshot): **segments** on disk (f16 rows, a table, and from
//! some tens of thousands of rows on a `USearch` graph over i8 rows), a **tail** of newer rows in memory that is compared
//! exactly, and the set of **removed** keys. Keys are never reused, so nothing is ever changed in place: a put appends
//! to the tail, a removal joins the set, and whoever changes anything replaces the snapshot as a whole. Searches never
//! wait for writers.
//!
//! A graph yields candidates by their i8 rows; scores are always those of the f16 rows. Each distinct embedding is one
//! node, however many views have it, and nodes that a finished graph does not find are compared with every query. A
//! filter becomes a few ranges of rows, since rows lie by artist: few rows are all compared, many are looked for among
//! the candidates of a wider search, and when too few of those pass, all rows in the ranges are compared after all.
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
//! caller replays the catalog from [`Index::sequence`], and [`Index::notices`] says what happened.
//!
//! # Several processes
//! Each process holds an index of its own on the same folder and applies the catalog's changes to it. The one that holds
//! the lock file is the *owner*: it seals, sweeps and writes manifests. The others keep their tail in memory and look
//! once a second for a generation newer than theirs; they map its segments (shared memory, through the page cache) and
//! drop from their tail what those hold. If the owner dies the kernel frees its lock, and the first process that looks
//! becomes the owner, after it has taken over the newest generation. Files that a process has mapped stay alive until
//! it lets them go, even when they were swept.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::{Error, Result};

mod filter;
mod folder;
mod generation;
mod graph;
pub mod manifest;
mod memory;
mod probe;
mod quantize;
mod ranking;
mod seal;
mod segment;
mod snapshot;
mod statistics;
mod store;
mod table;
mod tail;
mod upkeep;

pub use filter::Artists;
pub use ranking::Hit;
pub use statistics::Statistics;

/// Largest number of hits of a search.
pub const MAX_K: usize = 1000;
/// Largest dimension.
const MAX_DIM: usize = 1 << 14;
/// Time between looks at the folder.
const TICK: Duration = Duration::from_secs(1);
/// Longest time between attempts after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(64);

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

/// An open index. Every method may be called from any thread at any time.
pub struct Index {
    store: Arc<store::Store>,
    upkeep: Mutex<Option<JoinHandle<()>>>,
}

impl Index {
    /// Open the index in `folder`, or make one.
    ///
    /// # Errors
    /// `BadRequest` for options out of range, `Store` when the folder cannot be used.
    pub fn open(folder: &Path, options: Options) -> Result<Self> {
        options.check()?;
        let store = Arc::new(store::Store::open(folder, options)?);
        let kept = Arc::clone(&store);
        let upkeep = thread::Builder::new()
            .name("index-upkeep".to_owned())
            .spawn(move || keep_up(&kept));
        let upkeep =
            upkeep.map_err(|error| Error::Store(format!("no thread for the index: {error}")))?;
        Ok(Self {
            store,
            upkeep: Mutex::new(Some(upkeep)),
        })
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
        if keys.len() != artists.len() || rows.len() != keys.len() * self.store.options().dim {
            return Err(Error::BadRequest(
                "keys, vectors and artists must be of the same length".to_owned(),
            ));
        }
        self.store.put(keys, rows, artists)
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
        let dim = self.store.options().dim;
        if !(1..=MAX_K).contains(&k) {
            return Err(Error::BadRequest(format!("k must be 1 to {MAX_K}")));
        }
        if !rows.len().is_multiple_of(dim) {
            return Err(Error::BadRequest(format!("vectors must have {dim} values")));
        }
        quantize::check_rows(rows, dim)?;
        rows.chunks_exact(dim)
            .map(|row| self.store.search(row, k, artists))
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
        let upkeep = self
            .upkeep
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = upkeep {
            // its panics have been caught and noted
            let _ = thread.join();
        }
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.close();
    }
}

/// Follow other processes and seal, until the index is closed. After a failure the pauses grow.
fn keep_up(store: &store::Store) {
    let mut pause = Some(TICK);
    while let Some(rest) = pause {
        store.rest(rest, rest == TICK);
        pause = work(store, rest);
    }
}

/// One round of background work; returns the pause until the next, none once the index is closed.
fn work(store: &store::Store, pause: Duration) -> Option<Duration> {
    let outcome = catch_unwind(AssertUnwindSafe(|| store.keep_up()));
    if store.is_closed() {
        // work that closing cut short is no failure
        return None;
    }
    match outcome {
        Ok(Ok(())) => Some(TICK),
        Ok(Err(error)) => {
            store.notice(error.to_string());
            Some((pause * 2).min(LONGEST_PAUSE))
        }
        Err(_) => {
            store.notice("the upkeep of the index panicked".to_owned());
            Some(LONGEST_PAUSE)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_closing_cut_short_is_no_failure() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = Options {
            dim: 2,
            fingerprint: "engine".to_owned(),
            tail_rows: 4,
            build_threads: 1,
        };
        let store = store::Store::open(folder.path(), options).expect("opened");
        assert_eq!(work(&store, TICK), Some(TICK));
        store.close();
        assert!(store.keep_up().is_err());
        assert_eq!(work(&store, TICK), None);
        assert_eq!(store.take_notices(), Vec::<String>::new());
    }
}
