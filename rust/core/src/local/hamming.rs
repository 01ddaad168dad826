//! Which signatures of a list are near to one signature: the loop that a search spends its time in.

/// Signatures looked at at once: the distances fit the first-level cache.
const STRIDE: usize = 256;
/// Distances of which none or some are near; a multiple of every vector's width.
const GROUP: usize = 32;

/// Call `near` with the position and distance of each signature that differs from `signature` in at most `threshold` bits.
pub(crate) fn each_near(
    signatures: &[u64],
    signature: u64,
    threshold: u8,
    mut near: impl FnMut(usize, u8),
) {
    let mut distances = [0; STRIDE];
    for (number, part) in signatures.chunks(STRIDE).enumerate() {
        let distances = &mut distances[..part.len()];
        measure(part, signature, distances);
        for (group, group_distances) in distances.chunks(GROUP).enumerate() {
            if !any_near(group_distances, threshold) {
                continue;
            }
            for (at, &distance) in group_distances.iter().enumerate() {
                if distance <= threshold {
                    near(number * STRIDE + group * GROUP + at, distance);
                }
            }
        }
    }
}

fn measure(signatures: &[u64], signature: u64, distances: &mut [u8]) {
    for (distance, other) in distances.iter_mut().zip(signatures) {
        *distance = (signature ^ other).count_ones() as u8;
    }
}

fn any_near(distances: &[u8], threshold: u8) -> bool {
    distances
        .iter()
        .fold(u8::MAX, |least, &distance| least.min(distance))
        <= threshold
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_near_are_those_that_differ_in_few_bits(
            signatures in prop::collection::vec(any::<u64>(), 0..700),
            signature: u64,
            threshold in 0u8..=64,
        ) {
            let mut found = Vec::new();
            each_near(&signatures, signature, threshold, |at, distance| found.push((at, distance)));
            let all = signatures.iter().map(|other| (signature ^ other).count_ones() as u8).enumerate();
            let expected: Vec<_> = all.filter(|&(_, distance)| distance <= threshold).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
