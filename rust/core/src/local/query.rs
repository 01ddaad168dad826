//! The features of one photo, as a search wants them.

use super::packed::MAX_FEATURES;
use crate::{Error, Result};

/// Most words that a feature is assigned to.
const MAX_ASSIGNMENTS: usize = 8;

/// Features of one photo, checked: n features with `a` nearest words each.
#[derive(Debug, Clone)]
pub struct Query {
    assignments: usize,
    words: Vec<u16>,
    signatures: Vec<u64>,
    placements: Vec<Placement>,
}

/// Where a feature is in the photo.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placement {
    /// Pixels.
    pub(crate) x: f32,
    pub(crate) y: f32,
    /// Octaves above one pixel.
    pub(crate) scale: f32,
    /// Radians.
    pub(crate) angle: f32,
}

/// The arrays a query is made of.
#[derive(Debug, Clone, Copy)]
pub struct Arrays<'a> {
    /// (n, a) visual words, nearest first.
    pub words: &'a [u16],
    /// (n, a) signatures relative to each of these words.
    pub signatures: &'a [u64],
    /// (n, 2) positions, pixels.
    pub points: &'a [f32],
    /// (n,) sizes, pixels.
    pub scales: &'a [f32],
    /// (n,) directions, radians.
    pub angles: &'a [f32],
}

impl Query {
    /// Check and copy the arrays of features with so many `assignments` each.
    ///
    /// # Errors
    /// `BadRequest` when lengths disagree, there are too many, or a place is not a finite one.
    pub fn new(arrays: Arrays<'_>, assignments: usize) -> Result<Self> {
        let refuse = |message: String| Err(Error::BadRequest(message));
        let n = arrays.scales.len();
        if n > MAX_FEATURES || !(1..=MAX_ASSIGNMENTS).contains(&assignments) {
            return refuse(format!(
                "a query must have at most {MAX_FEATURES} features of 1 to {MAX_ASSIGNMENTS} words"
            ));
        }
        let lengths = [arrays.words.len(), arrays.signatures.len()];
        if lengths != [n * assignments; 2]
            || arrays.points.len() != 2 * n
            || arrays.angles.len() != n
        {
            return refuse("the arrays of a query must be of the same length".to_owned());
        }
        let sound = |(point, (&scale, &angle)): (&[f32], (&f32, &f32))| {
            let placement = Placement {
                x: point[0],
                y: point[1],
                scale: scale.log2(),
                angle,
            };
            let parts = [point[0], point[1], placement.scale, angle];
            parts
                .iter()
                .all(|part| part.abs() <= 1e6)
                .then_some(placement)
        };
        let sizes = arrays.scales.iter().zip(arrays.angles);
        let placements = arrays.points.chunks_exact(2).zip(sizes).map(sound);
        let Some(placements) = placements.collect() else {
            return refuse(
                "points, scales and angles of a query must be finite, and scales positive"
                    .to_owned(),
            );
        };
        Ok(Self {
            assignments,
            words: arrays.words.to_vec(),
            signatures: arrays.signatures.to_vec(),
            placements,
        })
    }

    /// Number of features.
    pub(crate) fn len(&self) -> usize {
        self.placements.len()
    }

    /// Words and signatures of a feature.
    pub(crate) fn words(&self, feature: usize) -> impl Iterator<Item = (u16, u64)> {
        let range = feature * self.assignments..(feature + 1) * self.assignments;
        let signatures = self.signatures[range.clone()].iter().copied();
        self.words[range].iter().copied().zip(signatures)
    }

    /// Where each feature is.
    pub(crate) fn placements(&self) -> &[Placement] {
        &self.placements
    }
}
