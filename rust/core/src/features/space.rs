//! From SIFT histograms to described patches: `RootSIFT`, projected to where photos of one patch differ least.

use super::{DIM, PATCH, UNIT};
use crate::{Error, Result};

/// A learned projection.
pub struct Space {
    mean: Vec<f32>,
    projection: Vec<f32>,
}

impl Space {
    /// Take the mean (`PATCH`) and the projection (`PATCH` x `DIM`, row by row).
    pub fn new(mean: Vec<f32>, projection: Vec<f32>) -> Result<Self> {
        let finite = mean
            .iter()
            .chain(&projection)
            .all(|value| value.is_finite());
        if mean.len() != PATCH || projection.len() != PATCH * DIM || !finite {
            return Err(Error::Store(
                "the projection of local features is damaged".to_owned(),
            ));
        }
        Ok(Self { mean, projection })
    }

    /// Describe histograms of `PATCH` values each, in order, as rows of `DIM` integers.
    pub fn describe(&self, patches: &[u8]) -> Vec<i8> {
        let mut rows = Vec::with_capacity(patches.len() / PATCH * DIM);
        for patch in patches.chunks_exact(PATCH) {
            rows.extend(self.row(patch));
        }
        rows
    }

    fn row(&self, patch: &[u8]) -> [i8; DIM] {
        let sum: u16 = patch.iter().map(|&value| u16::from(value)).sum(); // at most 128 * 255
        let share = 1.0 / f32::from(sum.max(1));
        let mut row = [0.0_f32; DIM];
        let directions = self.projection.as_chunks::<DIM>().0;
        for ((&value, mean), direction) in patch.iter().zip(&self.mean).zip(directions) {
            let root = (f32::from(value) * share).sqrt() - mean;
            for (total, part) in row.iter_mut().zip(direction) {
                *total += root * part;
            }
        }
        let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
        let scale = f32::from(UNIT) / length.max(f32::MIN_POSITIVE);
        row.map(|value| (value * scale).round_ties_even().clamp(-127.0, 127.0) as i8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> Space {
        let projection = (0..PATCH * DIM)
            .map(|n| f32::from(n / DIM == n % DIM))
            .collect();
        Space::new(vec![0.0; PATCH], projection).unwrap()
    }

    #[test]
    fn rows_are_unit_vectors() {
        let row = space().describe(&[7; PATCH]);
        let length: i32 = row.iter().map(|&value| i32::from(value).pow(2)).sum();
        let unit = i32::from(UNIT).pow(2);
        assert!((length - unit).abs() < unit / 20, "{length}");
    }

    #[test]
    fn an_empty_histogram_is_described_too() {
        assert_eq!(space().describe(&[0; PATCH]), vec![0; DIM]);
    }

    #[test]
    fn a_damaged_projection_is_refused() {
        assert!(Space::new(vec![0.0; PATCH], vec![f32::NAN; PATCH * DIM]).is_err());
        assert!(Space::new(vec![0.0; PATCH], vec![0.0; DIM]).is_err());
    }
}
