//! Which features of which views are like those of a photo, in order of views.

use super::hamming::each_near;
use super::lists::{Gone, Lists};
use super::query::Query;

/// Features that are like more views' than this say nothing, and would cost the memory of all.
pub(crate) const MAX_MATCHES: usize = 1 << 14;
/// Bits that one pass of sorting looks at.
const DIGIT: u32 = 11;

/// A feature of the photo that is like one of a view.
#[derive(Clone, Copy, Default)]
pub(crate) struct Match {
    /// The view: its slot, counted through all sources.
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
    /// Slots of all sources before this.
    pub(crate) first: u32,
}

/// The nearest match of each feature in each view, by view and then by feature.
pub(crate) fn matches(sources: &[Searched<'_>], query: &Query, threshold: u8) -> Vec<Match> {
    let mut found = Vec::new();
    for feature in 0..query.len() {
        let before = found.len();
        for source in sources {
            look(source, query, feature, threshold, &mut found);
        }
        if found.len() - before > MAX_MATCHES {
            found.truncate(before);
        }
    }
    let slots = sources
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

fn look(
    source: &Searched<'_>,
    query: &Query,
    feature: usize,
    threshold: u8,
    found: &mut Vec<Match>,
) {
    for (word, signature) in query.words(feature) {
        let (signatures, spots) = source.lists.of_word(word);
        each_near(signatures, signature, threshold, |at, distance| {
            let [slot, pose] = spots[at];
            if source.gone.as_ref().is_none_or(|gone| !gone.contains(slot)) {
                found.push(Match {
                    slot: source.first + slot,
                    pose,
                    feature: feature as u16,
                    distance,
                });
            }
        });
    }
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
