//! Which features of which views are like those of a photo, in order of views.

use super::hamming::{each_near, prefetch};
use super::lists::{Gone, Lists, Spot};
use super::query::Query;

/// Features that are like more views' than this say nothing, and would cost the memory of all.
const MAX_MATCHES: usize = 1 << 14;
/// Bits that one pass of sorting looks at.
const DIGIT: u32 = 11;
/// Lists between the one that is looked at and the one that is asked for from memory.
const AHEAD: usize = 3;
/// Signatures of a list that are asked for; those behind them the processor expects by itself.
const BEGINNING: usize = 32;

/// A feature of the photo that is like one of a view.
#[derive(Clone, Copy, Default)]
pub(crate) struct Match {
    /// The view: its slot, counted through all that is searched.
    pub(crate) slot: u32,
    /// Where the feature is in the view: the bits of a pose.
    pub(crate) pose: u32,
    /// Feature of the photo.
    pub(crate) feature: u16,
    /// Bits in which the signatures differ.
    pub(crate) distance: u8,
}

/// Views that are searched.
pub(crate) struct Searched<'a> {
    pub(crate) lists: Lists<'a>,
    pub(crate) gone: Option<Gone>,
    /// Slots of all that is searched before this.
    pub(crate) first: u32,
}

impl Searched<'_> {
    /// Whether a slot is that of a view which is not removed.
    fn holds(&self, slot: u32) -> bool {
        (slot as usize) < self.lists.keys.len()
            && self.gone.as_ref().is_none_or(|gone| !gone.contains(slot))
    }
}

/// One list to look through for one feature.
struct Probe<'a> {
    feature: u16,
    signature: u64,
    signatures: &'a [u64],
    spots: &'a [Spot],
    searched: &'a Searched<'a>,
}

impl Probe<'_> {
    /// The match of a posting, unless its view is removed; a damaged file may also name one that does not exist.
    fn matched(&self, at: usize, distance: u8) -> Option<Match> {
        let [slot, pose] = self.spots[at];
        self.searched.holds(slot).then(|| Match {
            slot: self.searched.first + slot,
            pose,
            feature: self.feature,
            distance,
        })
    }
}

/// The nearest match of each feature in each view, by view and then by feature.
pub(crate) fn matches(searched: &[Searched<'_>], query: &Query, threshold: u8) -> Vec<Match> {
    let probes = probes(searched, query);
    let mut found = Vec::new();
    let mut near = Vec::new();
    let mut ahead = probes.iter().skip(AHEAD);
    for lists in probes.chunk_by(|left, right| left.feature == right.feature) {
        for probe in lists {
            if let Some(next) = ahead.next() {
                prefetch(&next.signatures[..next.signatures.len().min(BEGINNING)]);
            }
            each_near(
                probe.signatures,
                probe.signature,
                threshold,
                |at, distance| {
                    // spots are read when all lists of the feature are done, so that none is waited for
                    prefetch(&probe.spots[at..=at]);
                    near.push((probe, at, distance));
                },
            );
        }
        let before = found.len();
        let spots = near.drain(..);
        found.extend(spots.filter_map(|(probe, at, distance)| probe.matched(at, distance)));
        if found.len() - before > MAX_MATCHES {
            found.truncate(before);
        }
    }
    let slots = searched
        .last()
        .map_or(0, |last| last.first + last.lists.keys.len() as u32);
    let mut found = by_slot(found, slots);
    found.dedup_by(|later, kept| {
        let same = (later.slot, later.feature) == (kept.slot, kept.feature);
        if same && later.distance < kept.distance {
            *kept = *later;
        }
        same
    });
    found
}

/// The lists that are not empty, by feature.
fn probes<'a>(searched: &'a [Searched<'a>], query: &Query) -> Vec<Probe<'a>> {
    let mut probes = Vec::new();
    for feature in 0..query.len() {
        for searched in searched {
            for (word, signature) in query.words(feature) {
                let (signatures, spots) = searched.lists.of_word(word);
                if !spots.is_empty() {
                    probes.push(Probe {
                        feature: feature as u16,
                        signature,
                        signatures,
                        spots,
                        searched,
                    });
                }
            }
        }
    }
    probes
}

/// Sort by slot and keep the order within each: by counting, some bits at a time.
fn by_slot(mut matches: Vec<Match>, slots: u32) -> Vec<Match> {
    let mut sorted = vec![Match::default(); matches.len()];
    for shift in (0..u32::BITS - slots.leading_zeros()).step_by(DIGIT as usize) {
        let digit = |item: &Match| (item.slot >> shift) as usize & ((1 << DIGIT) - 1);
        let mut ends = [0; 1 << DIGIT];
        for item in &matches {
            ends[digit(item)] += 1;
        }
        let mut next = 0;
        for end in &mut ends {
            next += std::mem::replace(end, next);
        }
        for item in &matches {
            let end = &mut ends[digit(item)];
            sorted[*end] = *item;
            *end += 1;
        }
        std::mem::swap(&mut matches, &mut sorted);
    }
    matches
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sorting_is_by_slot_and_stable(slots in prop::collection::vec(0u32..3_000_000, 0..300)) {
            let matches: Vec<_> = slots.iter().enumerate().map(|(feature, &slot)| {
                Match { slot: slot / 10_000 * 9_999, feature: feature as u16, ..Match::default() }
            }).collect();
            let mut expected = matches.clone();
            expected.sort_by_key(|item| item.slot);
            let pair = |item: &Match| (item.slot, item.feature);
            let sorted: Vec<_> = by_slot(matches, 3_000_000).iter().map(pair).collect();
            prop_assert_eq!(sorted, expected.iter().map(pair).collect::<Vec<_>>());
        }
    }
}
