//! A store with the thread that keeps it up: it follows other processes and seals.

use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Kind, Store};
use crate::{Error, Result};

/// Time between looks at the folder.
const TICK: Duration = Duration::from_secs(1);
/// Longest time between attempts after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(64);

/// An open store; it is closed when dropped.
pub(crate) struct Kept<K: Kind> {
    store: Arc<Store<K>>,
    upkeep: Mutex<Option<JoinHandle<()>>>,
}

impl<K: Kind> Kept<K> {
    /// Open the store in `folder`, or make one, and keep it up from now on.
    pub(crate) fn open(folder: &Path, kind: K) -> Result<Self> {
        let store = Arc::new(Store::open(folder, kind)?);
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

    /// Stop background work and let the files go; further calls are refused. Closing twice is allowed.
    pub(crate) fn close(&self) {
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

impl<K: Kind> Deref for Kept<K> {
    type Target = Store<K>;

    fn deref(&self) -> &Store<K> {
        &self.store
    }
}

impl<K: Kind> Drop for Kept<K> {
    fn drop(&mut self) {
        self.close();
    }
}

/// Follow other processes and seal, until the store is closed. After a failure the pauses grow.
fn keep_up<K: Kind>(store: &Store<K>) {
    let mut pause = Some(TICK);
    while let Some(rest) = pause {
        store.rest(rest, rest == TICK);
        pause = work(store, rest);
    }
}

/// One round of background work; returns the pause until the next, none once the store is closed.
fn work<K: Kind>(store: &Store<K>, pause: Duration) -> Option<Duration> {
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
    use crate::index::Options;

    #[test]
    fn work_that_closing_cut_short_is_no_failure() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = Options {
            dim: 2,
            fingerprint: "engine".to_owned(),
            tail_rows: 4,
            build_threads: 1,
        };
        let store = Store::open(folder.path(), options).expect("opened");
        assert_eq!(work(&store, TICK), Some(TICK));
        store.close();
        assert!(store.keep_up().is_err());
        assert_eq!(work(&store, TICK), None);
        assert_eq!(store.take_notices(), Vec::<String>::new());
    }
}
