//! Reading generations back from disk, and what a process does with one that another process wrote.

use std::sync::Arc;

use roaring::RoaringTreemap;

use super::folder::{Folder, KEPT, verify_segment};
use super::manifest::Manifest;
use super::snapshot::Snapshot;
use super::{Kind, Segment, blocks};
use crate::{Error, Result};

/// Attempts to read while the owner replaces generations underneath.
const ATTEMPTS: usize = 5;

/// A manifest with everything it names, verified and mapped.
pub(crate) struct Generation<K: Kind> {
    manifest: Manifest,
    segments: Vec<Arc<K::Segment>>,
    removed: RoaringTreemap,
}

/// The newest generation above `seen` that is sound and of this engine; segments already `held` are not read again.
/// What is passed over is said in `notices`.
pub(crate) fn newest<K: Kind>(
    seen: u64,
    folder: &Folder,
    kind: &K,
    held: &[Arc<K::Segment>],
    notices: &mut Vec<String>,
) -> Result<Option<Generation<K>>> {
    let mut passed_over = Vec::new();
    for _ in 0..ATTEMPTS {
        let numbers = folder.generations()?;
        passed_over.clear();
        for &number in numbers.iter().filter(|&&number| number > seen).take(KEPT) {
            match Generation::read(number, folder, kind, held) {
                Ok(found) => {
                    notices.append(&mut passed_over);
                    return Ok(Some(found));
                }
                Err(reason) => passed_over.push(format!(
                    "generation {number} of the index is not used: {reason}"
                )),
            }
        }
        if folder.generations()? == numbers {
            break;
        }
    }
    notices.append(&mut passed_over);
    Ok(None)
}

impl<K: Kind> Generation<K> {
    fn read(number: u64, folder: &Folder, kind: &K, held: &[Arc<K::Segment>]) -> Result<Self> {
        let manifest = folder.manifest(number)?;
        if manifest.fingerprint != kind.fingerprint() || manifest.contents != kind.contents() {
            return Err(Error::Store("its rows are of another engine".to_owned()));
        }
        let removed = folder.read_removed(&manifest)?;
        let segment = |mark| match held.iter().find(|segment| segment.mark() == mark) {
            Some(segment) => Ok(Arc::clone(segment)),
            None => verify_segment(folder.path(), mark)
                .and_then(|()| kind.open(folder.path(), mark.clone()))
                .map(Arc::new),
        };
        let segments = manifest
            .segments
            .iter()
            .map(segment)
            .collect::<Result<_>>()?;
        Ok(Self {
            manifest,
            segments,
            removed,
        })
    }

    /// The state of an index that has just been opened.
    pub(crate) fn into_snapshot(self) -> Snapshot<K> {
        Snapshot {
            generation: self.manifest.generation,
            sealed_sequence: self.manifest.sequence,
            segments: self.segments,
            blocks: Vec::new(),
            removed: Arc::new(self.removed),
        }
    }

    /// The state of an index that was at `now`: nothing it could find is lost. None when `now` is further on.
    pub(crate) fn adopted_by(self, now: &Snapshot<K>) -> Option<Snapshot<K>> {
        if self.manifest.sequence < now.sealed_sequence {
            return None;
        }
        let mut next = self.into_snapshot();
        Arc::make_mut(&mut next.removed).extend(now.removed.iter());
        let mut settled = RoaringTreemap::clone(&next.removed);
        next.segments
            .iter()
            .for_each(|segment| settled |= segment.keys());
        next.blocks = blocks::without(&now.blocks, &[], &settled);
        let ahead = now
            .segments
            .iter()
            .filter(|segment| !segment.keys().is_subset(&settled));
        for segment in ahead {
            let missing = segment.retain(|key| !settled.contains(key));
            next.blocks = blocks::with(&next.blocks, missing);
        }
        Some(next)
    }
}
