//! Local features of pictures: from SIFT histograms to small integers, to visual words, and to pairs that look alike.
//!
//! A described patch is a row of [`DIM`] integers, a unit vector times [`UNIT`]. All that follows is integer
//! arithmetic, so that every processor finds the same words, signatures and pairs.

pub mod matching;
mod products;
pub mod sift;
pub mod space;
mod widest;
pub mod words;

pub use matching::{Alike, alike};
pub use sift::{Keypoints, keypoints};
pub use space::Space;
pub use words::Vocabulary;

/// Values of a described patch.
pub const DIM: usize = 64;
/// The integer that stands for 1.0 in a described patch.
pub const UNIT: i16 = 160;
/// Values of a SIFT histogram.
pub const PATCH: usize = 128;
