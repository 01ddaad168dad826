//! Which signatures of a list are near to one signature: the loop that a search spends its time in.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

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

/// Write how many bits each signature differs in, by the widest instructions of this processor.
fn measure(signatures: &[u64], signature: u64, distances: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512vpopcntdq") && is_x86_feature_detected!("avx512bw") {
            // SAFETY: the processor has the instructions.
            return unsafe { measure_512(signatures, signature, distances) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt") {
            // SAFETY: the processor has the instructions.
            return unsafe { measure_256(signatures, signature, distances) };
        }
    }
    plain(signatures, signature, distances);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq")]
fn measure_512(signatures: &[u64], signature: u64, distances: &mut [u8]) {
    plain(signatures, signature, distances);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn measure_256(signatures: &[u64], signature: u64, distances: &mut [u8]) {
    plain(signatures, signature, distances);
}

#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "compiled anew for each instruction set"
)]
fn plain(signatures: &[u64], signature: u64, distances: &mut [u8]) {
    for (distance, other) in distances.iter_mut().zip(signatures) {
        *distance = (signature ^ other).count_ones() as u8;
    }
}

/// Ask for values that will be needed soon.
pub(crate) fn prefetch<T>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..size_of_val(values)).step_by(64) {
        // SAFETY: a prefetch reads nothing that the program could see, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(values.as_ptr().cast::<i8>().wrapping_add(line)) };
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
