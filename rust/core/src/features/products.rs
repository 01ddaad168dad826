//! Inner products of described patches, and the best among them.

use super::DIM;
use super::widest::widest;

/// Numbers that are looked at together.
const LANES: usize = 16;

widest! {
    /// Fill `products` with those of each row of `left` with each row of `right`, row by row.
    pub(super) fn fill(left: &[i8], right: &[i8], products: &mut [i32]) {
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
}

widest! {
    /// Where a product is higher than the highest of its column so far, note it and its row.
    pub(super) fn raise(products: &[i32], row: u32, highest: &mut [i32], rows: &mut [u32]) {
        for ((&product, highest), at) in products.iter().zip(highest).zip(rows) {
            let higher = product > *highest;
            *highest = if higher { product } else { *highest };
            *at = if higher { row } else { *at };
        }
    }
}

widest! {
    /// The highest number and the second highest, which is the same if it is there twice; `i32::MIN` where none is.
    pub(super) fn two_highest(numbers: &[i32]) -> (i32, i32) {
        let (mut first, mut second) = ([i32::MIN; LANES], [i32::MIN; LANES]);
        let (whole, rest) = numbers.as_chunks::<LANES>();
        for chunk in whole {
            for lane in 0..LANES {
                second[lane] = second[lane].max(first[lane].min(chunk[lane]));
                first[lane] = first[lane].max(chunk[lane]);
            }
        }
        let (mut best, mut next) = (i32::MIN, i32::MIN);
        for &number in first.iter().chain(&second).chain(rest) {
            next = next.max(best.min(number));
            best = best.max(number);
        }
        (best, next)
    }
}

widest! {
    /// Add the places of the numbers that are at least `least`.
    pub(super) fn places_from(numbers: &[i32], least: i32, places: &mut Vec<u32>) {
        for (at, chunk) in numbers.chunks(LANES).enumerate() {
            if chunk.iter().fold(i32::MIN, |most, &number| most.max(number)) >= least {
                let here = (at * LANES) as u32..;
                places.extend(here.zip(chunk).filter(|&(_, &number)| number >= least).map(|(place, _)| place));
            }
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

    fn numbers(count: usize) -> Vec<i32> {
        (0..count)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 7) % 50)
            .map(|n| i32::try_from(n).expect("below 50"))
            .collect()
    }

    #[test]
    fn products_are_the_sums_of_products() {
        let (left, right) = (rows(37, 1), rows(21, 99));
        let mut products = vec![0; 37 * 21];
        fill(&left, &right, &mut products);
        for (at, &product) in products.iter().enumerate() {
            let (one, other) = (&left[at / 21 * DIM..], &right[at % 21 * DIM..]);
            let pairs = one.iter().zip(other).take(DIM);
            let sum: i32 = pairs.map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
            assert_eq!(product, sum);
        }
    }

    #[test]
    fn the_two_highest_are_those_of_the_sorted_numbers() {
        for count in 2..100 {
            let mut sorted = numbers(count);
            let found = two_highest(&sorted);
            sorted.sort_unstable_by(|a, b| b.cmp(a));
            assert_eq!(found, (sorted[0], sorted[1]));
        }
        assert_eq!(two_highest(&[]), (i32::MIN, i32::MIN));
        assert_eq!(two_highest(&[7]), (7, i32::MIN));
    }

    #[test]
    fn places_are_those_of_a_plain_search() {
        let all = numbers(100);
        for least in -1..52 {
            let mut places = Vec::new();
            places_from(&all, least, &mut places);
            let plain = (0_u32..).zip(&all).filter(|&(_, &number)| number >= least);
            assert_eq!(places, plain.map(|(place, _)| place).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_first_of_equally_high_rows_stays() {
        let (mut highest, mut rows) = (vec![i32::MIN; 3], vec![0; 3]);
        for (row, products) in [[1, 5, 2], [1, 4, 3], [0, 6, 3]].iter().enumerate() {
            raise(products, row as u32, &mut highest, &mut rows);
        }
        assert_eq!((highest, rows), (vec![1, 6, 3], vec![0, 2, 1]));
    }
}
