//! SIFT keypoints of gray pictures (Lowe, Distinctive Image Features from Scale-Invariant Keypoints, 2004).
//!
//! Keypoints and histograms agree with those of `OpenCV`, whose conventions these are; but patches lie where keypoints do,
//! not around the nearest pixel, which makes those of one place more alike. Only the strongest are described, and what is
//! too weak to become one of them is not even looked at.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap
)] // places in pictures are far smaller than what any of these types holds, and inside them

mod blur;
mod extrema;
mod gradient;
mod histogram;
mod level;
mod octave;
mod orientation;
mod refine;
mod rows;
mod spread;
mod strongest;
#[cfg(test)]
mod tests;

use std::f32::consts::TAU;

use level::Level;
use octave::{Source, octave};
use refine::Found;
use strongest::Strongest;

use super::PATCH;

/// Layers of an octave in which keypoints are.
const LAYERS: usize = 3;
/// Blur of the first level of an octave, pixels.
const SIGMA: f32 = 1.6;
/// A third of the usual: soft and dark paintings have nothing stronger; where there is more, the strongest win.
const CONTRAST: f32 = 0.01;
/// How many times as curved across as along an edge a keypoint may be.
const EDGE: f32 = 12.0;

/// Keypoints of a picture, strongest first.
#[derive(Default)]
pub struct Keypoints {
    /// x and y of each, pixels.
    pub points: Vec<[f32; 2]>,
    /// Diameter of each, pixels.
    pub scales: Vec<f32>,
    /// Direction of each, clockwise from the right, radians, 0..2 pi.
    pub angles: Vec<f32>,
    /// Histogram of each: 4 x 4 cells of 8 directions.
    pub patches: Vec<[u8; PATCH]>,
}

/// Return keypoints of a picture, given row by row: of the `count` strongest those `kept` that lie all over it, or all
/// of them, strongest first, if there are no more.
///
/// Takes 32 bytes a pixel.
pub fn keypoints(gray: &[u8], width: usize, count: usize, kept: usize) -> Keypoints {
    let mut strongest = Strongest::new(count);
    let mut octaves: Vec<[Level; LAYERS]> = Vec::new();
    let smallest = 2 * extrema::BORDER + 1;
    let mut size = if width == 0 {
        0
    } else {
        2 * width.min(gray.len() / width)
    };
    while size >= smallest {
        let source = octaves
            .last()
            .map_or(Source::Picture(gray, width), |layers| {
                Source::Level(&layers[LAYERS - 1])
            });
        let made = octave(octaves.len() as u8, source, &mut strongest);
        octaves.push(made);
        size /= 2;
    }
    let turned: Vec<(Found, f32)> = strongest
        .into_sorted()
        .into_iter()
        .flat_map(|found| {
            orientation::directions(level(&octaves, &found), &found).map(move |at| (found, at))
        })
        .take(count)
        .collect();
    let mut keypoints = Keypoints::default();
    for number in chosen(&turned, [width, gray.len() / width.max(1)], kept) {
        let (found, direction) = &turned[number];
        keypoints.push(level(&octaves, found), found, *direction);
    }
    keypoints
}

/// Return the numbers of the keypoints that are kept.
fn chosen(found: &[(Found, f32)], size: [usize; 2], kept: usize) -> Vec<usize> {
    if found.len() <= kept {
        return (0..found.len()).collect();
    }
    let points: Vec<_> = found.iter().map(|(found, _)| found.point()).collect();
    spread::spread(&points, size, kept)
}

fn level<'a>(octaves: &'a [[Level; LAYERS]], found: &Found) -> &'a Level {
    &octaves[usize::from(found.octave)][found.place.layer - 1]
}

impl Found {
    /// Return the size of a pixel of its octave, in those of the picture: the first is of the picture twice as large.
    fn pixel(&self) -> f32 {
        0.5 * f32::from(self.octave).exp2()
    }

    fn point(&self) -> [f32; 2] {
        self.at.map(|at| at * self.pixel())
    }
}

impl Keypoints {
    fn push(&mut self, level: &Level, found: &Found, direction: f32) {
        self.points.push(found.point());
        self.scales.push(2.0 * found.sigma * found.pixel());
        self.angles.push((1.0 - direction) % 1.0 * TAU);
        self.patches
            .push(histogram::histogram(level, found, direction));
    }
}

/// Return every how many rows of a patch are looked at: a blur of `sigma` leaves nothing in between.
fn step(sigma: f32) -> usize {
    if sigma < 2.83 { 2 } else { 3 }
}
