//! Inner products of described patches, by the widest instructions of this processor; the same integers on each.
#![allow(unsafe_code)] // a function compiled for certain instructions may only run where they exist

use super::DIM;

/// Fill `products` with those of each row of `left` with each row of `right`, row by row.
pub(super) fn fill(left: &[i8], right: &[i8], products: &mut [i32]) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vl") {
            // SAFETY: the processor has the instructions.
            return unsafe { fill_avx512(left, right, products) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: as above.
            return unsafe { fill_avx2(left, right, products) };
        }
    }
    fill_plain(left, right, products);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512bw,avx512vl")]
fn fill_avx512(left: &[i8], right: &[i8], products: &mut [i32]) {
    fill_plain(left, right, products);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn fill_avx2(left: &[i8], right: &[i8], products: &mut [i32]) {
    fill_plain(left, right, products);
}

#[expect(
    clippy::inline_always,
    reason = "compiled anew for the instructions of each caller"
)]
#[inline(always)]
fn fill_plain(left: &[i8], right: &[i8], products: &mut [i32]) {
    let (left, right) = (left.as_chunks::<DIM>().0, right.as_chunks::<DIM>().0);
    for (row, products) in left
        .iter()
        .zip(products.chunks_exact_mut(right.len().max(1)))
    {
        for (other, product) in right.iter().zip(products) {
            *product = row
                .iter()
                .zip(other)
                .map(|(a, b)| i32::from(*a) * i32::from(*b))
                .sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize, seed: usize) -> Vec<i8> {
        (0..count * DIM)
            .map(|n| ((n + seed).wrapping_mul(2_654_435_761) >> 9) as i8)
            .collect()
    }

    #[test]
    fn every_way_gives_the_same_products() {
        let (left, right) = (rows(37, 1), rows(21, 99));
        let (mut wide, mut plain) = (vec![0; 37 * 21], vec![0; 37 * 21]);
        fill(&left, &right, &mut wide);
        fill_plain(&left, &right, &mut plain);
        assert_eq!(wide, plain);
        let one: i32 = left[..DIM]
            .iter()
            .zip(&right[..DIM])
            .map(|(a, b)| i32::from(*a) * i32::from(*b))
            .sum();
        assert_eq!(wide[0], one);
    }
}
