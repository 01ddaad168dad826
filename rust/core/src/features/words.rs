//! Visual words: the leaves of a tree of two levels, and signatures that say where beside its leaf a patch lies.

use super::{DIM, products};
use crate::{Error, Result};

/// Branches of the tree, and leaves of each branch.
const FAN: usize = 256;
/// Branches whose leaves are looked at, the nearest ones.
const PROBES: usize = 3;

/// A learned tree of 65,536 words.
pub struct Vocabulary {
    branches: Places,
    leaves: Places,
    flips: [[i8; DIM]; 2],
}

/// Places among described patches, with their squared lengths.
struct Places {
    rows: Vec<i8>,
    lengths: Vec<i32>,
}

impl Places {
    fn new(rows: Vec<i8>) -> Self {
        let length = |row: &[i8]| row.iter().map(|&value| i32::from(value).pow(2)).sum();
        let lengths = rows.chunks_exact(DIM).map(length).collect();
        Self { rows, lengths }
    }

    fn row(&self, number: usize) -> &[i8] {
        &self.rows[number * DIM..(number + 1) * DIM]
    }

    /// Put the nearest of the places `from..from + FAN` into `nearest`, which is kept short and sorted.
    fn search(&self, patch: &[i8], from: usize, nearest: &mut Nearest) {
        let mut products = [0; FAN];
        products::fill(
            patch,
            &self.rows[from * DIM..(from + FAN) * DIM],
            &mut products,
        );
        for (number, (product, length)) in products
            .iter()
            .zip(&self.lengths[from..from + FAN])
            .enumerate()
        {
            nearest.offer(length - 2 * product, from + number);
        }
    }
}

/// The nearest places seen so far, nearest first; of equally near ones, the first seen.
struct Nearest {
    found: Vec<(i32, usize)>,
    count: usize,
}

impl Nearest {
    fn new(count: usize) -> Self {
        Self {
            found: Vec::with_capacity(count + 1),
            count,
        }
    }

    fn offer(&mut self, distance: i32, place: usize) {
        if self.found.len() == self.count && self.found.last().is_none_or(|last| distance >= last.0)
        {
            return;
        }
        let at = self.found.partition_point(|&(near, _)| near <= distance);
        self.found.insert(at, (distance, place));
        self.found.truncate(self.count);
    }
}

impl Vocabulary {
    /// Take the branches (`FAN` x `DIM`), the leaves (`FAN * FAN` x `DIM`, two bits each: -3, -1, 1 or 3 times `step`
    /// beside their branch) and the signs of the two flips (2 x `DIM`).
    pub fn new(branches: Vec<i8>, leaves: &[u8], step: i8, flips: &[i8]) -> Result<Self> {
        let whole = branches.len() == FAN * DIM && leaves.len() == FAN * FAN * DIM / 4;
        let (Some((first, rest)), true) = (flips.split_first_chunk::<DIM>(), whole) else {
            return Err(damaged());
        };
        let second: &[i8; DIM] = rest.try_into().map_err(|_| damaged())?;
        let spread = |(number, &quarter): (usize, &u8)| {
            let branch = number * 4 / (FAN * DIM) * DIM + number * 4 % DIM;
            let centre = &branches[branch..branch + 4];
            [0, 2, 4, 6]
                .map(|shift| (quarter >> shift) & 3)
                .into_iter()
                .zip(centre)
                .map(move |(level, &at)| {
                    let beside = (2 * i32::from(level) - 3) * i32::from(step);
                    (i32::from(at) + beside).clamp(-127, 127) as i8
                })
                .collect::<Vec<_>>()
        };
        let leaves = leaves.iter().enumerate().flat_map(spread).collect();
        Ok(Self {
            leaves: Places::new(leaves),
            branches: Places::new(branches),
            flips: [*first, *second],
        })
    }

    /// Return the `count` nearest words of each described patch, nearest first; `count` is 1 to 256.
    pub fn words(&self, patches: &[i8], count: usize) -> Vec<u16> {
        let mut words = Vec::with_capacity(patches.len() / DIM * count);
        for patch in patches.chunks_exact(DIM) {
            let mut branches = Nearest::new(PROBES);
            self.branches.search(patch, 0, &mut branches);
            let mut leaves = Nearest::new(count);
            for (_, branch) in branches.found {
                self.leaves.search(patch, branch * FAN, &mut leaves);
            }
            words.extend(leaves.found.iter().map(|&(_, leaf)| leaf as u16));
        }
        words
    }

    /// Return the signature of each described patch beside each of its words; `words` has equally many for each.
    pub fn signatures(&self, patches: &[i8], words: &[u16]) -> Vec<u64> {
        let count = words.len() / (patches.len() / DIM).max(1);
        let each = patches
            .chunks_exact(DIM)
            .zip(words.chunks_exact(count.max(1)));
        each.flat_map(|(patch, own)| own.iter().map(|&word| self.signature(patch, word)))
            .collect()
    }

    fn signature(&self, patch: &[i8], word: u16) -> u64 {
        let mut beside = [0_i32; DIM];
        for (value, (at, leaf)) in beside
            .iter_mut()
            .zip(patch.iter().zip(self.leaves.row(word.into())))
        {
            *value = i32::from(*at) - i32::from(*leaf);
        }
        for flips in &self.flips {
            for (value, flip) in beside.iter_mut().zip(flips) {
                *value *= i32::from(*flip);
            }
            mix(&mut beside);
        }
        beside
            .iter()
            .rev()
            .fold(0, |bits, &value| bits << 1 | u64::from(value > 0))
    }
}

/// The Walsh-Hadamard transform: after random flips of signs, as good as a random rotation.
fn mix(values: &mut [i32; DIM]) {
    let mut width = 1;
    while width < DIM {
        for pair in values.chunks_exact_mut(2 * width) {
            let (left, right) = pair.split_at_mut(width);
            for (one, other) in left.iter_mut().zip(right) {
                (*one, *other) = (*one + *other, *one - *other);
            }
        }
        width *= 2;
    }
}

fn damaged() -> Error {
    Error::Store("the vocabulary of local features is damaged".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary() -> Vocabulary {
        let branches = (0..FAN * DIM).map(|n| ((n * 7919) % 201) as i8).collect();
        let leaves: Vec<u8> = (0..FAN * FAN * DIM / 4)
            .map(|n| ((n * 2_654_435_761) >> 7) as u8)
            .collect();
        Vocabulary::new(branches, &leaves, 5, &[1; 2 * DIM]).unwrap()
    }

    #[test]
    fn a_leaf_is_its_own_nearest_word_and_beside_itself_nowhere() {
        let vocabulary = vocabulary();
        let leaf = vocabulary.leaves.row(40_000).to_vec();
        let words = vocabulary.words(&leaf, 1);
        assert_eq!(vocabulary.leaves.row(words[0].into()), leaf);
        assert_eq!(vocabulary.signatures(&leaf, &words), [0]);
    }

    #[test]
    fn words_come_nearest_first() {
        let vocabulary = vocabulary();
        let patch: Vec<i8> = (0..DIM).map(|n| (n * 37 % 100) as i8).collect();
        let distance = |word: &u16| -> i32 {
            let leaf = vocabulary.leaves.row((*word).into());
            leaf.iter()
                .zip(&patch)
                .map(|(a, b)| (i32::from(*a) - i32::from(*b)).pow(2))
                .sum()
        };
        assert!(vocabulary.words(&patch, 9).iter().map(distance).is_sorted());
    }

    #[test]
    fn signatures_of_near_patches_are_near() {
        let vocabulary = vocabulary();
        let patch: Vec<i8> = (0..DIM).map(|n| (n * 37 % 100) as i8).collect();
        let moved: Vec<i8> = patch
            .iter()
            .enumerate()
            .map(|(n, v)| v + (n % 3) as i8)
            .collect();
        let words = vocabulary.words(&patch, 1);
        let near =
            vocabulary.signatures(&patch, &words)[0] ^ vocabulary.signatures(&moved, &words)[0];
        assert!(near.count_ones() < 12, "{}", near.count_ones());
    }

    #[test]
    fn a_damaged_file_is_refused() {
        assert!(Vocabulary::new(vec![0; FAN * DIM], &[0; 10], 5, &[1; 2 * DIM]).is_err());
        assert!(
            Vocabulary::new(vec![0; 3], &vec![0; FAN * FAN * DIM / 4], 5, &[1; 2 * DIM]).is_err()
        );
    }
}
