//! A level of the scale space whose patches are described.

use super::rows::TILE;
use crate::features::widest::widest;

/// Steps of a gray value.
const STEPS: f32 = 256.0;

/// A blurred picture, in 1/256 of a gray value.
pub(super) struct Level {
    pub(super) width: usize,
    pub(super) height: usize,
    values: Vec<u16>,
}

impl Level {
    /// Make one without rows.
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            values: Vec::with_capacity(width * height + TILE),
        }
    }

    /// Add the next row, of gray values.
    pub(super) fn push(&mut self, row: &[f32]) {
        push(row, &mut self.values);
        if self.values.len() == self.width * self.height {
            self.values.extend([0; TILE]); // so that the last tile is whole
        }
    }

    /// Return all that lies from a place on, row by row.
    pub(super) fn from(&self, column: usize, row: usize) -> &[u16] {
        self.values
            .get(row * self.width + column..)
            .unwrap_or_default()
    }

    /// Write every second gray value of every second row.
    pub(super) fn halved(&self, row: usize, made: &mut [f32]) {
        for (value, pair) in made
            .iter_mut()
            .zip(self.from(0, 2 * row)[..self.width].as_chunks::<2>().0)
        {
            *value = f32::from(pair[0]) / STEPS;
        }
    }
}

widest! {
    fn push(row: &[f32], values: &mut Vec<u16>) {
        // the bits of a float of this size end with its whole number
        values.extend(row.iter().map(|value| (value * STEPS + 8_388_608.0).to_bits() as u16));
    }
}
