//! The newest rows, kept in memory and searched exactly.
//!
//! A tail is a list of immutable blocks whose sizes fall from first to last. A put makes a new block and joins it with
//! the small ones before it, so that a row is copied a few times at most, a reader never sees a block change, and a
//! search touches few of them.

use std::sync::Arc;

use half::f16;
use roaring::RoaringTreemap;

use super::filter::Artists;
use super::memory::dot;
use super::ranking::{Hit, Ranking};

/// Rows of a block that is not joined any further.
const FULL_BLOCK: usize = 4096;

/// One view's row, wherever it is kept.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) key: u64,
    pub(crate) artist: i64,
    /// (dim,) values.
    pub(crate) row: &'a [f16],
}

/// Rows in the order in which they were put.
pub(crate) struct Block {
    dim: usize,
    keys: Vec<u64>,
    artists: Vec<i64>,
    rows: Vec<f16>,
}

impl Block {
    pub(crate) fn new(dim: usize) -> Self {
        Self {
            dim,
            keys: Vec::new(),
            artists: Vec::new(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, entry: Entry<'_>) {
        self.keys.push(entry.key);
        self.artists.push(entry.artist);
        self.rows.extend_from_slice(entry.row);
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let rows = self.rows.chunks_exact(self.dim);
        self.keys
            .iter()
            .zip(&self.artists)
            .zip(rows)
            .map(|((&key, &artist), row)| Entry { key, artist, row })
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn keys(&self) -> &[u64] {
        &self.keys
    }

    fn join(&self, newer: &Self) -> Self {
        Self {
            dim: self.dim,
            keys: [&self.keys[..], &newer.keys].concat(),
            artists: [&self.artists[..], &newer.artists].concat(),
            rows: [&self.rows[..], &newer.rows].concat(),
        }
    }

    fn without(&self, gone: &RoaringTreemap) -> Self {
        let mut kept = Self::new(self.dim);
        self.entries()
            .filter(|entry| !gone.contains(entry.key))
            .for_each(|entry| kept.push(entry));
        kept
    }

    /// Offer every row that is not `removed` and passes the filter.
    pub(crate) fn search(
        &self,
        query: &[f16],
        filter: Option<&Artists>,
        removed: &RoaringTreemap,
        ranking: &mut Ranking,
    ) {
        for Entry { key, artist, row } in self.entries() {
            if filter.is_some_and(|artists| !artists.contains(artist)) {
                continue;
            }
            let score = dot(query, row);
            if ranking.takes(score) && !removed.contains(key) {
                ranking.offer(Hit { key, score });
            }
        }
    }
}

/// The blocks with `newest` put behind them.
pub(crate) fn with(blocks: &[Arc<Block>], newest: Block) -> Vec<Arc<Block>> {
    let mut blocks = blocks.to_vec();
    let mut newest = Arc::new(newest);
    while let Some(last) =
        blocks.pop_if(|last| last.len() <= newest.len() && last.len() + newest.len() <= FULL_BLOCK)
    {
        newest = Arc::new(last.join(&newest));
    }
    blocks.push(newest);
    blocks
}

/// The blocks without the rows whose keys are `gone`; blocks that `sealed` holds go as a whole.
pub(crate) fn without(
    blocks: &[Arc<Block>],
    sealed: &[Arc<Block>],
    gone: &RoaringTreemap,
) -> Vec<Arc<Block>> {
    let kept = blocks
        .iter()
        .filter(|block| !sealed.iter().any(|other| Arc::ptr_eq(block, other)));
    let rest = kept.map(|block| {
        if block.keys.iter().any(|&key| gone.contains(key)) {
            Arc::new(block.without(gone))
        } else {
            Arc::clone(block)
        }
    });
    rest.filter(|block| block.len() > 0).collect()
}

/// Number of rows in the blocks, removed ones included.
pub(crate) fn rows(blocks: &[Arc<Block>]) -> usize {
    blocks.iter().map(|block| block.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block(keys: std::ops::Range<u64>) -> Block {
        let mut block = Block::new(2);
        for key in keys {
            block.push(Entry {
                key,
                artist: 0,
                row: &[f16::ONE, f16::ZERO],
            });
        }
        block
    }

    fn keys(blocks: &[Arc<Block>]) -> Vec<u64> {
        blocks.iter().flat_map(|block| block.keys.clone()).collect()
    }

    proptest! {
        #[test]
        fn puts_keep_order_and_blocks_stay_few(sizes in prop::collection::vec(1u64..50, 1..80)) {
            let mut blocks = Vec::new();
            let mut next = 0;
            for size in sizes {
                blocks = with(&blocks, block(next..next + size));
                next += size;
            }
            prop_assert_eq!(keys(&blocks), (0..next).collect::<Vec<_>>());
            prop_assert!(blocks.len() <= 14 + (next as usize) / (FULL_BLOCK / 2));
        }
    }

    #[test]
    fn without_drops_sealed_blocks_and_gone_rows() {
        let sealed = Arc::new(block(0..3));
        let blocks = [
            Arc::clone(&sealed),
            Arc::new(block(3..6)),
            Arc::new(block(6..7)),
        ];
        let left = without(&blocks, &[sealed], &RoaringTreemap::from_iter([4, 6]));
        assert_eq!(keys(&left), [3, 5]);
    }
}
