//! What the threads of one process share, and how the snapshot changes.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use roaring::RoaringTreemap;

use super::folder::{Folder, Ownership};
use super::generation::{self, Generation};
use super::snapshot::Snapshot;
use super::{Block, Kind, blocks};
use crate::{Error, Result};

/// Notices kept until they are taken; later ones are dropped.
const MAX_NOTICES: usize = 100;

/// The state of an index.
pub(crate) struct Store<K: Kind> {
    pub(super) kind: K,
    pub(super) folder: Folder,
    /// Replaced whole; readers never wait.
    pub(super) snapshot: ArcSwap<Snapshot<K>>,
    /// Findable keys; whoever holds this may replace the snapshot.
    pub(super) present: Mutex<RoaringTreemap>,
    sequence: AtomicU64,
    /// Held as long as files are written.
    pub(super) writing: Mutex<Writing>,
    pub(super) owner: AtomicBool,
    notices: Mutex<Vec<String>>,
    woken: Mutex<bool>,
    wake: Condvar,
    pub(super) closed: AtomicBool,
}

/// What concerns the files.
pub(super) struct Writing {
    /// Present in the process that writes.
    pub(super) ownership: Option<Ownership>,
    /// Newest generation that was looked at.
    pub(super) seen: u64,
}

/// Lock a mutex whose state is replaced whole, so that no panic leaves it half changed.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Kind> Store<K> {
    pub(crate) fn open(path: &Path, kind: K) -> Result<Self> {
        let folder = Folder::open(path)?;
        let ownership = folder.own()?;
        let mut notices = Vec::new();
        let found = generation::newest(0, &folder, &kind, &[], &mut notices)?;
        let seen = folder.generations()?.first().copied().unwrap_or(0);
        if ownership.is_some() {
            folder.sweep()?;
        }
        let snapshot = found.map(Generation::into_snapshot).unwrap_or_default();
        Ok(Self {
            kind,
            folder,
            present: Mutex::new(snapshot.present()),
            sequence: AtomicU64::new(snapshot.sealed_sequence),
            snapshot: ArcSwap::from_pointee(snapshot),
            owner: AtomicBool::new(ownership.is_some()),
            writing: Mutex::new(Writing { ownership, seen }),
            notices: Mutex::new(notices),
            woken: Mutex::new(false),
            wake: Condvar::new(),
            closed: AtomicBool::new(false),
        })
    }

    pub(crate) fn kind(&self) -> &K {
        &self.kind
    }

    pub(crate) fn len(&self) -> u64 {
        lock(&self.present).len()
    }

    pub(crate) fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Acquire)
    }

    pub(crate) fn advance(&self, sequence: u64) {
        self.sequence.fetch_max(sequence, Ordering::AcqRel);
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot<K>> {
        self.snapshot.load_full()
    }

    pub(crate) fn is_owner(&self) -> bool {
        self.owner.load(Ordering::Acquire)
    }

    pub(crate) fn check_open(&self) -> Result<()> {
        if self.is_closed() {
            return Err(Error::Store("the index is closed".to_owned()));
        }
        Ok(())
    }

    /// Append the rows whose keys are neither present nor removed.
    pub(crate) fn put(&self, rows: &K::Block) -> Result<()> {
        self.check_open()?;
        let mut present = lock(&self.present);
        let snapshot = self.snapshot.load();
        let fresh = rows.retain(|key| !snapshot.removed.contains(key) && present.insert(key));
        if fresh.keys().is_empty() {
            return Ok(());
        }
        let mut next = Snapshot::clone(&snapshot);
        next.blocks = blocks::with(&next.blocks, fresh);
        let due = next.loose_rows() >= self.kind.tail_rows();
        self.snapshot.store(Arc::new(next));
        drop(present);
        if due && self.is_owner() {
            self.wake_up();
        }
        Ok(())
    }

    pub(crate) fn remove(&self, keys: &[u64]) -> Result<u64> {
        self.check_open()?;
        let mut present = lock(&self.present);
        let snapshot = self.snapshot.load();
        let fresh: RoaringTreemap = keys
            .iter()
            .copied()
            .filter(|&key| !snapshot.removed.contains(key))
            .collect();
        if fresh.is_empty() {
            return Ok(0);
        }
        let before = present.len();
        *present -= &fresh;
        let mut next = Snapshot::clone(&snapshot);
        Arc::make_mut(&mut next.removed).extend(fresh);
        self.snapshot.store(Arc::new(next));
        Ok(before - present.len())
    }

    pub(crate) fn notice(&self, notice: String) {
        let mut notices = lock(&self.notices);
        if notices.len() < MAX_NOTICES && !notices.contains(&notice) {
            notices.push(notice);
        }
    }

    pub(crate) fn take_notices(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.notices))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Refuse further calls, end a build and let the files go.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.wake_up();
        lock(&self.writing).ownership = None;
        self.owner.store(false, Ordering::Release);
        let mut present = lock(&self.present);
        present.clear();
        self.snapshot.store(Arc::new(Snapshot::default()));
    }

    fn wake_up(&self) {
        *lock(&self.woken) = true;
        self.wake.notify_all();
    }

    /// Wait until the index is closed, or for as long; also until there is something to do when that is heeded.
    pub(crate) fn rest(&self, longest: Duration, heed_work: bool) {
        let waiting = |woken: &mut bool| !(self.is_closed() || (heed_work && *woken));
        let waited = self
            .wake
            .wait_timeout_while(lock(&self.woken), longest, waiting);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}
