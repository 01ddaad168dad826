//! Views of several lists as those of one: for joining blocks of the tail, for dropping rows, and for sealing.

use super::lists::{Lists, Spot};

/// Marks a view that is left out, or one that does not exist: a damaged file may name such a slot.
const LEFT_OUT: u32 = u32::MAX;

/// What the lists become, without being copied yet.
pub(crate) struct Merge<'a> {
    parts: Vec<Part<'a>>,
    pub(crate) keys: Vec<u64>,
    pub(crate) artists: Vec<i64>,
    pub(crate) counts: Vec<u16>,
}

struct Part<'a> {
    lists: Lists<'a>,
    /// The slot that each view gets.
    slots: Vec<u32>,
}

impl<'a> Merge<'a> {
    /// The views whose keys are to be kept; asks once for each.
    pub(crate) fn of(
        sources: impl IntoIterator<Item = Lists<'a>>,
        mut keep: impl FnMut(u64) -> bool,
    ) -> Self {
        let mut parts: Vec<Part<'a>> = Vec::new();
        let mut rows = Vec::new();
        for (number, lists) in sources.into_iter().enumerate() {
            let kept = lists.keys.iter().enumerate().filter(|&(_, &key)| keep(key));
            rows.extend(kept.map(|(slot, &key)| (key, number as u32, slot as u32)));
            let slots = vec![LEFT_OUT; lists.keys.len()];
            parts.push(Part { lists, slots });
        }
        rows.sort_unstable();
        let mut artists = Vec::with_capacity(rows.len());
        let mut counts = Vec::with_capacity(rows.len());
        for (slot, &(_, number, old)) in rows.iter().enumerate() {
            let part = &mut parts[number as usize];
            part.slots[old as usize] = slot as u32;
            artists.push(part.lists.artists[old as usize]);
            counts.push(part.lists.counts[old as usize]);
        }
        Self {
            parts,
            keys: rows.into_iter().map(|(key, ..)| key).collect(),
            artists,
            counts,
        }
    }

    /// The postings of all that is kept, or more: what a damaged file counts is never believed above what there is.
    pub(crate) fn most_postings(&self) -> usize {
        let counted = self.counts.iter().map(|&count| usize::from(count)).sum();
        let present = self.parts.iter().map(|part| part.lists.spots.len()).sum();
        usize::min(counted, present)
    }

    /// Words that have a list in any part, ascending.
    pub(crate) fn words(&self) -> Vec<u16> {
        let all = self.parts.iter().flat_map(|part| part.lists.words);
        let mut words: Vec<u16> = all.copied().collect();
        words.sort_unstable();
        words.dedup();
        words
    }

    /// The postings of a word, with their new slots.
    pub(crate) fn postings(&self, word: u16) -> impl Iterator<Item = (u64, Spot)> {
        self.parts.iter().flat_map(move |part| {
            let (signatures, spots) = part.lists.of_word(word);
            let slot = |old: u32| *part.slots.get(old as usize).unwrap_or(&LEFT_OUT);
            let moved = move |&[old, pose]: &Spot| [slot(old), pose];
            let postings = signatures.iter().copied().zip(spots.iter().map(moved));
            postings.filter(|&(_, [slot, _])| slot != LEFT_OUT)
        })
    }
}
