//! What happens to files while an index is open: sealing by the owner, following by the others.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::manifest::{FORMAT, Manifest, SegmentMark};
use super::snapshot::Snapshot;
use super::state::{Store, lock};
use super::{Kind, Place, Segment, Source, blocks, generation};
use crate::{Error, Result};

impl<K: Kind> Store<K> {
    /// One round of background work.
    pub(crate) fn keep_up(&self) -> Result<()> {
        self.follow()?;
        let snapshot = self.snapshot.load_full();
        let grown = !snapshot.blocks.is_empty() && snapshot.loose_rows() >= self.kind.tail_rows();
        if self.is_owner()
            && (grown
                || snapshot
                    .segments
                    .iter()
                    .any(|segment| snapshot.is_worn(segment)))
        {
            self.seal()?;
        }
        Ok(())
    }

    /// Write everything applied so far, if this process is the owner; says whether it is.
    pub(crate) fn seal(&self) -> Result<bool> {
        let writing = lock(&self.writing);
        self.check_open()?;
        if writing.ownership.is_none() {
            return Ok(false);
        }
        // taken before the snapshot: every change up to here is in it
        let sequence = self.sequence();
        let from = self.snapshot.load_full();
        let absorbed = from.absorbed();
        let nothing_new =
            from.blocks.is_empty() && absorbed.is_empty() && from.sealed_sequence == sequence;
        if nothing_new && (from.generation > 0 || sequence == 0) {
            return Ok(true);
        }
        let highest = self.folder.highest_number()?;
        let number = highest.checked_add(1).ok_or_else(|| {
            Error::Store("a file of the index carries the last number there is".to_owned())
        })?;
        let source = Source {
            segments: absorbed,
            blocks: from.blocks.clone(),
            removed: Arc::clone(&from.removed),
        };
        let place = Place {
            folder: self.folder.path(),
            id: number,
            stop: &self.closed,
        };
        let mark = self.kind.build(&source, &place)?;
        self.publish(number, sequence, &source, mark)?;
        self.folder.sweep()?;
        Ok(true)
    }

    /// Make a new generation of what was built: on disk first, then for the readers of this process.
    fn publish(
        &self,
        number: u64,
        sequence: u64,
        source: &Source<K>,
        mark: Option<SegmentMark>,
    ) -> Result<()> {
        let built = mark.map(|mark| self.kind.open(self.folder.path(), mark).map(Arc::new));
        let built = built.transpose()?;
        let before = self.snapshot.load_full();
        let absorbed = |segment: &&Arc<K::Segment>| {
            source
                .segments
                .iter()
                .any(|other| Arc::ptr_eq(segment, other))
        };
        let kept = before
            .segments
            .iter()
            .filter(|segment| !absorbed(segment))
            .cloned();
        let segments: Vec<_> = kept.chain(built.clone()).collect();
        self.folder.publish(&Manifest {
            format: FORMAT,
            generation: number,
            sequence,
            fingerprint: self.kind.fingerprint().to_owned(),
            contents: self.kind.contents(),
            segments: segments
                .iter()
                .map(|segment| segment.mark().clone())
                .collect(),
            removed: self.folder.write_removed(number, &before.removed)?,
        })?;
        let mut settled = Arc::clone(&source.removed);
        if let Some(segment) = &built {
            *Arc::make_mut(&mut settled) |= segment.keys();
        }
        let _present = lock(&self.present);
        let now = self.snapshot.load();
        self.snapshot.store(Arc::new(Snapshot {
            generation: number,
            sealed_sequence: sequence,
            segments,
            blocks: blocks::without(&now.blocks, &source.blocks, &settled),
            removed: Arc::clone(&now.removed),
        }));
        Ok(())
    }

    /// Take over ownership when it is free, and the newest generation when another process wrote it.
    fn follow(&self) -> Result<()> {
        let mut writing = lock(&self.writing);
        self.check_open()?;
        if writing.ownership.is_none() {
            writing.ownership = self.folder.own()?;
            self.owner
                .store(writing.ownership.is_some(), Ordering::Release);
        }
        let before = self.snapshot.load_full();
        let newest = self.folder.generations()?.first().copied().unwrap_or(0);
        let seen = std::mem::replace(&mut writing.seen, newest).max(before.generation);
        if newest <= seen {
            return Ok(());
        }
        let mut notices = Vec::new();
        let found = generation::newest(
            seen,
            &self.folder,
            &self.kind,
            &before.segments,
            &mut notices,
        )?;
        for notice in notices {
            self.notice(notice);
        }
        let mut present = lock(&self.present);
        if let Some(next) = found.and_then(|found| found.adopted_by(&self.snapshot.load())) {
            *present = next.present();
            self.snapshot.store(Arc::new(next));
        }
        Ok(())
    }
}
