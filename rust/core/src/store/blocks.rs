//! The tail: the newest rows, kept in memory.
//!
//! A tail is a list of immutable blocks whose sizes fall from first to last. A put makes a new block and joins it with
//! the small ones before it, so that a row is copied a few times at most, a reader never sees a block change, and a
//! search touches few of them.

use std::sync::Arc;

use roaring::RoaringTreemap;

use super::Block;

/// Rows of a block that is not joined any further.
const FULL_BLOCK: usize = 4096;

/// The blocks with `newest` put behind them.
pub(crate) fn with<B: Block>(blocks: &[Arc<B>], newest: B) -> Vec<Arc<B>> {
    let mut blocks = blocks.to_vec();
    let mut newest = Arc::new(newest);
    let joined = |last: &B, newest: &B| last.keys().len() + newest.keys().len();
    while let Some(last) = blocks.pop_if(|last| {
        last.keys().len() <= newest.keys().len() && joined(last, &newest) <= FULL_BLOCK
    }) {
        newest = Arc::new(last.join(&newest));
    }
    blocks.push(newest);
    blocks
}

/// The blocks without the rows whose keys are `gone`; blocks that `sealed` holds go as a whole.
pub(crate) fn without<B: Block>(
    blocks: &[Arc<B>],
    sealed: &[Arc<B>],
    gone: &RoaringTreemap,
) -> Vec<Arc<B>> {
    let kept = blocks
        .iter()
        .filter(|block| !sealed.iter().any(|other| Arc::ptr_eq(block, other)));
    let rest = kept.map(|block| {
        if block.keys().iter().any(|&key| gone.contains(key)) {
            Arc::new(block.retain(|key| !gone.contains(key)))
        } else {
            Arc::clone(block)
        }
    });
    rest.filter(|block| !block.keys().is_empty()).collect()
}

/// Number of rows in the blocks, removed ones included.
pub(crate) fn rows<B: Block>(blocks: &[Arc<B>]) -> usize {
    blocks.iter().map(|block| block.keys().len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Keys(Vec<u64>);

    impl Block for Keys {
        fn keys(&self) -> &[u64] {
            &self.0
        }

        fn join(&self, newer: &Self) -> Self {
            Self([&self.0[..], &newer.0].concat())
        }

        fn retain(&self, mut keep: impl FnMut(u64) -> bool) -> Self {
            Self(self.0.iter().copied().filter(|&key| keep(key)).collect())
        }
    }

    fn keys(blocks: &[Arc<Keys>]) -> Vec<u64> {
        blocks.iter().flat_map(|block| block.0.clone()).collect()
    }

    proptest! {
        #[test]
        fn puts_keep_order_and_blocks_stay_few(sizes in prop::collection::vec(1u64..50, 1..80)) {
            let mut blocks = Vec::new();
            let mut next = 0;
            for size in sizes {
                blocks = with(&blocks, Keys((next..next + size).collect()));
                next += size;
            }
            prop_assert_eq!(keys(&blocks), (0..next).collect::<Vec<_>>());
            prop_assert!(blocks.len() <= 14 + (next as usize) / (FULL_BLOCK / 2));
        }
    }

    #[test]
    fn without_drops_sealed_blocks_and_gone_rows() {
        let sealed = Arc::new(Keys((0..3).collect()));
        let blocks = [
            Arc::clone(&sealed),
            Arc::new(Keys((3..6).collect())),
            Arc::new(Keys(vec![6])),
        ];
        let left = without(&blocks, &[sealed], &RoaringTreemap::from_iter([4, 6]));
        assert_eq!(keys(&left), [3, 5]);
    }
}
