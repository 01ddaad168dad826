//! The newest views, kept in memory in the same form as those on disk.

use std::mem::take;

use roaring::RoaringTreemap;

use super::lists::{Lists, Spot};
use super::merge::Merge;
use super::packed::Packed;
use crate::store;

/// Views in memory, in ascending order of keys; those of equal keys in the order in which they were put.
pub(crate) struct Block {
    keys: Vec<u64>,
    set: RoaringTreemap,
    artists: Vec<i64>,
    counts: Vec<u16>,
    words: Vec<u16>,
    starts: Vec<u64>,
    signatures: Vec<u64>,
    spots: Vec<Spot>,
}

impl Block {
    /// Views of (n,) keys, features and artists.
    pub(crate) fn of(keys: &[u64], features: &[Packed<'_>], artists: &[i64]) -> Self {
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by_key(|&row| keys[row]);
        let mut postings = Vec::with_capacity(features.iter().map(Packed::len).sum());
        for (slot, &row) in order.iter().enumerate() {
            let placed = features[row].features().map(|feature| {
                (
                    feature.word,
                    feature.signature,
                    [slot as u32, feature.pose.to_bits()],
                )
            });
            postings.extend(placed);
        }
        postings.sort_by_key(|&(word, ..)| word);
        let mut block = Self::without_postings(
            order.iter().map(|&row| keys[row]).collect(),
            order.iter().map(|&row| artists[row]).collect(),
            order
                .iter()
                .map(|&row| features[row].len() as u16)
                .collect(),
            postings.len(),
        );
        for list in postings.chunk_by(|left, right| left.0 == right.0) {
            let postings = list.iter().map(|&(_, signature, spot)| (signature, spot));
            block.push_list(list[0].0, postings);
        }
        block
    }

    pub(crate) fn merged(mut merge: Merge<'_>) -> Self {
        let postings = merge.most_postings();
        let mut block = Self::without_postings(
            take(&mut merge.keys),
            take(&mut merge.artists),
            take(&mut merge.counts),
            postings,
        );
        for word in merge.words() {
            block.push_list(word, merge.postings(word));
        }
        block
    }

    /// Views whose lists are still to come, with `postings` at most.
    fn without_postings(
        keys: Vec<u64>,
        artists: Vec<i64>,
        counts: Vec<u16>,
        postings: usize,
    ) -> Self {
        Self {
            set: keys.iter().copied().collect(),
            keys,
            artists,
            counts,
            words: Vec::new(),
            starts: vec![0],
            signatures: Vec::with_capacity(postings),
            spots: Vec::with_capacity(postings),
        }
    }

    fn push_list(&mut self, word: u16, postings: impl Iterator<Item = (u64, Spot)>) {
        for (signature, spot) in postings {
            self.signatures.push(signature);
            self.spots.push(spot);
        }
        self.words.push(word);
        self.starts.push(self.signatures.len() as u64);
    }

    pub(crate) fn lists(&self) -> Lists<'_> {
        Lists {
            keys: &self.keys,
            artists: &self.artists,
            counts: &self.counts,
            words: &self.words,
            starts: &self.starts,
            signatures: &self.signatures,
            spots: &self.spots,
        }
    }

    /// The keys as a set.
    pub(crate) fn set(&self) -> &RoaringTreemap {
        &self.set
    }

    /// Bytes of memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(&self.keys[..]) * 2
            + size_of_val(&self.counts[..])
            + size_of_val(&self.words[..])
            + size_of_val(&self.starts[..])
            + size_of_val(&self.signatures[..]) * 2
    }
}

impl store::Block for Block {
    fn keys(&self) -> &[u64] {
        &self.keys
    }

    fn join(&self, newer: &Self) -> Self {
        Self::merged(Merge::of([self.lists(), newer.lists()], |_| true))
    }

    fn retain(&self, keep: impl FnMut(u64) -> bool) -> Self {
        Self::merged(Merge::of([self.lists()], keep))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_that_promise_more_than_there_is_cost_no_memory() {
        let lists = Lists {
            keys: &[5, 6],
            artists: &[0, 0],
            counts: &[u16::MAX, u16::MAX],
            words: &[3],
            starts: &[0, 2],
            signatures: &[0; 2],
            spots: &[[0; 2], [1; 2]],
        };
        let block = Block::merged(Merge::of([lists], |_| true));
        assert_eq!(block.lists().spots.len(), 2);
        assert!(block.spots.capacity() < 100);
    }
}
