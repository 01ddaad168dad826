//! One octave of the scale space, made in bands of rows that stay in the cache: each level is the one before it, blurred
//! further, and keypoints are looked for as soon as the differences of levels are there.

use std::ops::Range;

use super::blur::{Kernel, MARGIN};
use super::extrema::{Differences, Scan};
use super::level::Level;
use super::rows::{Ring, mirrored, whole_tiles};
use super::{LAYERS, SIGMA, Strongest};
use crate::features::widest::widest;

/// Rows made at a time.
const BAND: usize = 8;
/// Levels of an octave: extrema are looked for in `LAYERS` differences, each beside two others.
pub(super) const LEVELS: usize = LAYERS + 3;

/// Where the rows of an octave come from.
pub(super) enum Source<'a> {
    /// A picture of this width, to be shown twice as large.
    Picture(&'a [u8], usize),
    /// The last layer of the octave before.
    Level(&'a Level),
}

/// A blur and the rows it made.
struct Stage {
    kernel: Kernel,
    made: Ring<f32>,
    done: usize,
}

/// An octave that is being made.
struct Octave<'a> {
    source: Source<'a>,
    width: usize,
    height: usize,
    stages: Vec<Stage>,
    differences: Differences,
    layers: [Level; LAYERS],
    columns: Vec<f32>,
    taps: Vec<usize>,
}

/// Return the layers of an octave; what is found in it goes to `found`.
pub(super) fn octave(number: u8, source: Source<'_>, found: &mut Strongest) -> [Level; LAYERS] {
    let mut octave = Octave::new(source);
    let mut scan = Scan::new(number, octave.width, octave.height);
    while octave
        .stages
        .last()
        .is_some_and(|last| last.done < octave.height)
    {
        octave.feed();
        for stage in 1..octave.stages.len() {
            octave.blur(stage);
        }
        let ready = octave.stages.last().map_or(0, |last| last.done);
        scan.rows(&octave.differences, ready, found);
    }
    octave.layers
}

impl<'a> Octave<'a> {
    fn new(source: Source<'a>) -> Self {
        let (width, height, first) = match &source {
            Source::Picture(gray, width) => {
                (2 * width, 2 * (gray.len() / width), Some(first_blur()))
            }
            Source::Level(level) => (level.width / 2, level.height / 2, None),
        };
        let sigmas: Vec<f32> = first.into_iter().chain((1..LEVELS).map(blur_to)).collect();
        let kernels: Vec<Kernel> = sigmas.iter().map(|&sigma| Kernel::new(sigma)).collect();
        let reaches: Vec<usize> = kernels.iter().map(Kernel::reach).collect();
        // the first stage copies; each keeps what the next one looks back at
        let kept = |stage: usize| 2 * reaches.get(stage).unwrap_or(&0) + 2 * BAND;
        let stages = std::iter::once(Kernel::new(1.0))
            .chain(kernels)
            .enumerate()
            .map(|(stage, kernel)| Stage {
                kernel,
                made: Ring::new(width, kept(stage)),
                done: 0,
            })
            .collect();
        let behind = reaches[reaches.len() - (LEVELS - 1)..]
            .iter()
            .sum::<usize>()
            + 3 * BAND;
        Self {
            source,
            width,
            height,
            stages,
            differences: Differences::new(width, behind),
            layers: [(); LAYERS].map(|()| Level::new(width, height)),
            columns: vec![0.0; BAND * (whole_tiles(width) + 2 * MARGIN)],
            taps: Vec::new(),
        }
    }

    /// Make the next rows of the first stage.
    fn feed(&mut self) {
        let stage = &mut self.stages[0];
        let band = stage.done..self.height.min(stage.done + BAND);
        stage.done = band.end;
        for y in band {
            let row = stage.made.row_mut(y);
            match self.source {
                Source::Picture(gray, width) => doubled(gray, width, y, &mut row[..2 * width]),
                Source::Level(level) => level.halved(y, row),
            }
        }
    }

    /// Make the rows of a stage that can be made.
    fn blur(&mut self, number: usize) {
        let (before, rest) = self.stages.split_at_mut(number);
        let (Some(source), Some(stage)) = (before.last(), rest.first_mut()) else {
            return;
        };
        let ahead = if source.done == self.height {
            0
        } else {
            stage.kernel.reach()
        };
        let band = stage.done..source.done.saturating_sub(ahead).min(stage.done + BAND);
        if band.is_empty() {
            return;
        }
        self.taps.clear();
        for row in band.clone() {
            let rows = stage.kernel.rows(row, self.height);
            self.taps.extend(rows.map(|row| source.made.at(row)));
        }
        stage.kernel.across_rows(
            &source.made.values,
            &self.taps,
            self.width,
            &mut self.columns,
        );
        let lines = self
            .columns
            .chunks_exact_mut(whole_tiles(self.width) + 2 * MARGIN);
        for (line, row) in lines.zip(band.clone()) {
            stage
                .kernel
                .across_columns(line, self.width, stage.made.row_mut(row));
        }
        stage.done = band.end;
        self.note(number, band);
    }

    /// Keep of new rows what is needed later: their differences from the level before, and those of the layers.
    fn note(&mut self, stage: usize, band: Range<usize>) {
        let Some(level) = (stage + LEVELS).checked_sub(self.stages.len()) else {
            return;
        };
        let (before, this) = (&self.stages[stage - 1].made, &self.stages[stage].made);
        for row in band {
            if level > 0 {
                self.differences
                    .put(level - 1, row, before.row(row), this.row(row));
            }
            if (1..=LAYERS).contains(&level) {
                self.layers[level - 1].push(&this.row(row)[..self.width]);
            }
        }
    }
}

/// Return the blur that turns a doubled picture, whose own is one pixel, into the first level.
fn first_blur() -> f32 {
    (SIGMA * SIGMA - 1.0).sqrt()
}

/// Return the blur that turns the level before into this one.
fn blur_to(level: usize) -> f32 {
    let growth = 2.0_f32.powf(1.0 / LAYERS as f32);
    SIGMA * growth.powi(level as i32 - 1) * (growth * growth - 1.0).sqrt()
}

/// Write a row of a picture twice as large: every second value is one of the picture's, the others lie halfway.
fn doubled(gray: &[u8], width: usize, row: usize, made: &mut [f32]) {
    let height = gray.len() / width;
    let (above, below) = (row / 2, mirrored(row.div_ceil(2) as isize, height));
    halfway(
        &gray[above * width..][..width],
        &gray[below * width..][..width],
        made,
    );
}

widest! {
    fn halfway(above: &[u8], below: &[u8], made: &mut [f32]) {
        let last = above.len() - 1;
        for (column, pair) in made.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            let here = f32::from(above[column]) + f32::from(below[column]);
            let next = column.min(last - 1) + 1;
            let there = f32::from(above[next]) + f32::from(below[next]);
            *pair = [0.5 * here, 0.25 * (here + there)];
        }
    }
}
