//! Views and their features by visual word: the one form that tail and segments have in common.

use roaring::RoaringTreemap;

use crate::store::sections;

/// A feature in the list of its word: the slot of its view, and the bits of its [`Pose`](super::packed::Pose).
pub(crate) type Spot = [u32; 2];

/// Some views. A view has a slot, its position in ascending order of keys; a feature has a posting in the list of its
/// word, made of a signature and a spot that lie apart, because most signatures are looked at and few spots.
#[derive(Clone, Copy)]
pub(crate) struct Lists<'a> {
    /// (views,) ascending.
    pub(crate) keys: &'a [u64],
    /// (views,)
    pub(crate) artists: &'a [i64],
    /// (views,) features of each.
    pub(crate) counts: &'a [u16],
    /// Words that have a list, ascending.
    pub(crate) words: &'a [u16],
    /// Where each list begins; one more than words.
    pub(crate) starts: &'a [u64],
    /// (postings,)
    pub(crate) signatures: &'a [u64],
    /// (postings,)
    pub(crate) spots: &'a [Spot],
}

impl<'a> Lists<'a> {
    /// Whether words ascend and their lists are all there is.
    ///
    /// Spots are not looked at, for there may be gigabytes of them: whoever follows one sees whether its slot exists.
    pub(crate) fn hold_together(&self) -> bool {
        sections::rise_to(self.starts, self.spots.len())
            && self.words.is_sorted_by(|left, right| left < right)
    }

    /// The postings of a word.
    pub(crate) fn of_word(&self, word: u16) -> (&'a [u64], &'a [Spot]) {
        let Ok(at) = self.words.binary_search(&word) else {
            return (&[], &[]);
        };
        let range = self.starts[at] as usize..self.starts[at + 1] as usize;
        (&self.signatures[range.clone()], &self.spots[range])
    }
}

/// The slots of removed views, as one bit each.
pub(crate) struct Gone(Vec<u64>);

impl Gone {
    /// None where no view is removed. `all` are the keys as a set.
    pub(crate) fn among(
        keys: &[u64],
        all: &RoaringTreemap,
        removed: &RoaringTreemap,
    ) -> Option<Self> {
        if all.is_disjoint(removed) {
            return None;
        }
        let mut bits = vec![0; keys.len().div_ceil(64)];
        let mut from = 0;
        for key in &(all & removed) {
            from += keys[from..].partition_point(|&known| known < key);
            bits[from / 64] |= 1 << (from % 64);
        }
        Some(Self(bits))
    }

    pub(crate) fn contains(&self, slot: u32) -> bool {
        self.0[slot as usize / 64] >> (slot % 64) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lists_that_point_nowhere_do_not_hold_together() {
        let sound = Lists {
            keys: &[5, 6],
            artists: &[0, 0],
            counts: &[2, 1],
            words: &[3, 8],
            starts: &[0, 1, 3],
            signatures: &[0; 3],
            spots: &[[0; 2]; 3],
        };
        assert!(sound.hold_together());
        let with_starts = |starts| Lists { starts, ..sound };
        let with_words = |words| Lists { words, ..sound };
        let damaged = [
            with_starts(&[1, 1, 3]),
            with_starts(&[0, 4, 3]),
            with_starts(&[0, 1, 2]),
            with_words(&[8, 3]),
            with_words(&[3, 3]),
        ];
        assert!(damaged.iter().all(|lists| !lists.hold_together()));
    }

    proptest! {
        #[test]
        fn gone_are_exactly_the_removed(keys in prop::collection::btree_set(0u64..500, 0..200), removed in prop::collection::btree_set(0u64..500, 0..50)) {
            let slots: Vec<u64> = keys.iter().copied().collect();
            let gone = Gone::among(&slots, &keys.iter().collect(), &removed.iter().collect());
            for (slot, key) in slots.iter().enumerate() {
                let found = gone.as_ref().is_some_and(|gone| gone.contains(slot as u32));
                prop_assert_eq!(found, removed.contains(key));
            }
            prop_assert_eq!(gone.is_some(), keys.intersection(&removed).count() > 0);
        }
    }
}
