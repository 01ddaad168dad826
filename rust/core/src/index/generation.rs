//! Reading generations back from disk, and what a process does with one that another process wrote.

use std::sync::Arc;

use roaring::RoaringTreemap;

use super::Options;
use super::folder::{Folder, KEPT};
use super::manifest::Manifest;
use super::segment::Segment;
use super::snapshot::Snapshot;
use super::tail::{self, Block};
use crate::{Error, Result};

/// Attempts to read while the owner replaces generations underneath.
const ATTEMPTS: usize = 5;

/// A manifest with everything it names, verified and mapped.
pub(crate) struct Generation {
    manifest: Manifest,
    segments: Vec<Arc<Segment>>,
    removed: RoaringTreemap,
}

/// The newest generation above `seen` that is sound and of this engine; segments already `held` are not read again.
/// What is passed over is said in `notices`.
pub(crate) fn newest(
    seen: u64,
    folder: &Folder,
    options: &Options,
    held: &[Arc<Segment>],
    notices: &mut Vec<String>,
) -> Result<Option<Generation>> {
    let mut passed_over = Vec::new();
    for _ in 0..ATTEMPTS {
        let numbers = folder.generations()?;
        passed_over.clear();
        for &number in numbers.iter().filter(|&&number| number > seen).take(KEPT) {
            match Generation::read(number, folder, options, held) {
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

impl Generation {
    fn read(
        number: u64,
        folder: &Folder,
        options: &Options,
        held: &[Arc<Segment>],
    ) -> Result<Self> {
        let manifest = folder.manifest(number)?;
        if manifest.fingerprint != options.fingerprint || manifest.dim != options.dim {
            return Err(Error::Store("its vectors are of another engine".to_owned()));
        }
        let removed = folder.read_removed(&manifest)?;
        let segment = |mark| match held.iter().find(|segment| segment.mark() == mark) {
            Some(segment) => Ok(Arc::clone(segment)),
            None => Segment::verified(folder.path(), mark, options).map(Arc::new),
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
    pub(crate) fn into_snapshot(self) -> Snapshot {
        Snapshot {
            generation: self.manifest.generation,
            sealed_sequence: self.manifest.sequence,
            segments: self.segments,
            blocks: Vec::new(),
            removed: Arc::new(self.removed),
        }
    }

    /// The state of an index that was at `now`: nothing it could find is lost. None when `now` is further on.
    pub(crate) fn adopted_by(self, now: &Snapshot, dim: usize) -> Option<Snapshot> {
        if self.manifest.sequence < now.sealed_sequence {
            return None;
        }
        let mut next = self.into_snapshot();
        Arc::make_mut(&mut next.removed).extend(now.removed.iter());
        let mut settled = RoaringTreemap::clone(&next.removed);
        next.segments
            .iter()
            .for_each(|segment| settled |= segment.keys());
        next.blocks = tail::without(&now.blocks, &[], &settled);
        let mut missing = Block::new(dim);
        for segment in now
            .segments
            .iter()
            .filter(|segment| !segment.keys().is_subset(&settled))
        {
            segment
                .entries()
                .filter(|entry| !settled.contains(entry.key))
                .for_each(|entry| missing.push(entry));
        }
        if missing.len() > 0 {
            next.blocks = tail::with(&next.blocks, missing);
        }
        Some(next)
    }
}
