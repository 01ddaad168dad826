//! Views on disk: a table of views and words, a file of signatures and a file of spots.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::thread;

use bytemuck::{Pod, cast_slice};
use roaring::RoaringTreemap;
use rustix::process::setpriority_process;

use super::Options;
use super::block::Block;
use super::lists::{Lists, Spot};
use super::merge::Merge;
use crate::store::folder::{named_path, segment_path, write_durably};
use crate::store::manifest::{FileMark, SegmentMark};
use crate::store::memory::Mapped;
use crate::store::sections;
use crate::store::{self, Place, Source};
use crate::{Error, Result};

const MAGIC: u64 = u64::from_le_bytes(*b"ARWORDS1");
/// Niceness of the thread that writes.
const NICENESS: i32 = 15;

/// Endings of the names of its files: keys, artists, counts, words and where their lists begin.
const TABLE: &str = "table";
/// The signatures of all postings.
const SIGNATURES: &str = "signatures";
/// The spots of all postings.
const SPOTS: &str = "spots";

/// A verified and mapped segment.
pub(crate) struct Segment {
    mark: SegmentMark,
    table: Mapped,
    sections: Vec<Range<usize>>,
    signatures: Mapped,
    spots: Mapped,
    keys: RoaringTreemap,
    small: bool,
}

impl Segment {
    /// Map the files of a segment that is known to be sound.
    pub(crate) fn open(folder: &Path, mark: SegmentMark, options: &Options) -> Result<Self> {
        let map = |kind| Mapped::open(&named_path(folder, &mark, kind)?);
        let (table, signatures, spots) = (map(TABLE)?, map(SIGNATURES)?, map(SPOTS)?);
        let (sections, postings) = read_head(table.bytes()).ok_or_else(|| misshapen(mark.id))?;
        let expected = postings
            .checked_mul(size_of::<u64>())
            .ok_or_else(|| misshapen(mark.id))?;
        if signatures.bytes().len() != expected || spots.bytes().len() != expected {
            return Err(misshapen(mark.id));
        }
        let keys: &[u64] = cast_slice(&table.bytes()[sections[0].clone()]);
        let keys = RoaringTreemap::from_sorted_iter(keys.iter().copied()).map_err(|_| {
            Error::Store(format!(
                "segment {} of the index holds a key twice",
                mark.id
            ))
        })?;
        let small = keys.len() < options.tail_rows as u64;
        let segment = Self {
            mark,
            table,
            sections,
            signatures,
            spots,
            keys,
            small,
        };
        if segment.lists().hold_together() {
            return Ok(segment);
        }
        Err(misshapen(segment.mark.id))
    }

    pub(crate) fn lists(&self) -> Lists<'_> {
        Lists {
            keys: self.section(0),
            artists: self.section(1),
            starts: self.section(2),
            counts: self.section(3),
            words: self.section(4),
            signatures: cast_slice(self.signatures.bytes()),
            spots: cast_slice(self.spots.bytes()),
        }
    }

    fn section<T: Pod>(&self, number: usize) -> &[T] {
        cast_slice(&self.table.bytes()[self.sections[number].clone()])
    }
}

fn misshapen(id: u64) -> Error {
    Error::Store(format!("segment {id} of the index is of another shape"))
}

/// Where the arrays of a table lie, and the number of postings.
fn read_head(table: &[u8]) -> Option<(Vec<Range<usize>>, usize)> {
    let [MAGIC, views, words, postings, 0, 0, 0, 0] = sections::head(table)? else {
        return None;
    };
    let sizes = [
        views.checked_mul(8),
        views.checked_mul(8),
        words
            .checked_add(1)
            .and_then(|starts| starts.checked_mul(8)),
        views.checked_mul(2),
        words.checked_mul(2),
    ];
    let (sections, end) = sections::lay_out(sizes)?;
    (end == table.len()).then_some((sections, usize::try_from(postings).ok()?))
}

impl store::Segment for Segment {
    type Block = Block;

    fn mark(&self) -> &SegmentMark {
        &self.mark
    }

    fn keys(&self) -> &RoaringTreemap {
        &self.keys
    }

    fn loose_rows(&self) -> usize {
        if self.small {
            self.keys.len() as usize
        } else {
            0
        }
    }

    fn retain(&self, keep: impl FnMut(u64) -> bool) -> Block {
        Block::merged(Merge::of([self.lists()], keep))
    }
}

/// Write the segment that a source becomes, on a thread of low priority, or none when no view is left.
pub(crate) fn build(source: &Source<Options>, place: &Place<'_>) -> Result<Option<SegmentMark>> {
    let polite = || {
        // without the right to lower the priority the work is merely less polite
        let _ = setpriority_process(None, NICENESS);
        written(source, place)
    };
    let ended = thread::scope(|scope| scope.spawn(polite).join());
    ended.unwrap_or_else(|_| {
        Err(Error::Store(
            "the thread that built a segment panicked".to_owned(),
        ))
    })
}

fn written(source: &Source<Options>, place: &Place<'_>) -> Result<Option<SegmentMark>> {
    let sealed = source.segments.iter().map(|segment| segment.lists());
    let newer = source.blocks.iter().map(|block| block.lists());
    let merge = Merge::of(sealed.chain(newer), |key| !source.removed.contains(key));
    if merge.keys.is_empty() {
        return Ok(None);
    }
    let words = merge.words();
    let mut starts = vec![0];
    let signatures = write_postings(place, SIGNATURES, &words, &mut |word, out| {
        let mut postings = merge.postings(word).map(|(signature, _)| signature);
        let count = write_all(out, &mut postings)?;
        starts.push(starts[starts.len() - 1] + count);
        Ok(())
    })?;
    let spots = write_postings(place, SPOTS, &words, &mut |word, out| {
        write_all(out, &mut merge.postings(word).map(|(_, spot)| spot)).map(|_| ())
    })?;
    let table = write_durably(&segment_path(place.folder, place.id, TABLE), |out| {
        let sizes = [merge.keys.len(), words.len()].map(|size| size as u64);
        sections::write(
            out,
            &[MAGIC, sizes[0], sizes[1], starts[words.len()], 0, 0, 0, 0],
        )?;
        sections::write(out, &merge.keys)?;
        sections::write(out, &merge.artists)?;
        sections::write(out, &starts)?;
        sections::write(out, &merge.counts)?;
        sections::write(out, &words)
    })?;
    let files = [(TABLE, table), (SIGNATURES, signatures), (SPOTS, spots)];
    Ok(Some(SegmentMark {
        id: place.id,
        entries: merge.keys.len() as u64,
        files: BTreeMap::from(files.map(|(kind, mark)| (kind.to_owned(), mark))),
    }))
}

/// Write one file of all words' postings, unless the index is closed meanwhile.
fn write_postings(
    place: &Place<'_>,
    kind: &str,
    words: &[u16],
    write: &mut dyn FnMut(u16, &mut dyn Write) -> io::Result<()>,
) -> Result<FileMark> {
    write_durably(&segment_path(place.folder, place.id, kind), |out| {
        words.iter().try_for_each(|&word| {
            if place.stop.load(Ordering::Relaxed) {
                return Err(io::Error::other("the index was closed"));
            }
            write(word, out)
        })
    })
}

fn write_all<T: Pod>(out: &mut dyn Write, values: &mut dyn Iterator<Item = T>) -> io::Result<u64> {
    let values: Vec<T> = values.collect();
    out.write_all(cast_slice(&values))?;
    Ok(values.len() as u64)
}

/// The form of a spot on disk is that of its memory.
const _: () = assert!(size_of::<Spot>() == size_of::<u64>());
