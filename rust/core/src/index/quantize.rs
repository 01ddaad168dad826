//! Rows in other precisions: f16 for exact scores, i8 for the graph, one bit a dimension for wide filters.

use half::f16;
use half::slice::HalfFloatSliceExt;

use crate::{Error, Result};

/// How far the length of a row may be from one.
const UNIT_TOLERANCE: f32 = 5e-3;
/// Values looked at to find the scale and the mean of a segment.
const SAMPLE_VALUES: usize = 1 << 21;
/// Share of magnitudes that the i8 range covers; the rest saturates.
const COVERED: f64 = 0.9995;

/// Refuse rows that are not finite unit vectors of `dim` values.
pub(crate) fn check_rows(rows: &[f32], dim: usize) -> Result<()> {
    for (position, row) in rows.chunks_exact(dim).enumerate() {
        let norm = row.iter().map(|value| value * value).sum::<f32>().sqrt();
        // written so that a NaN fails as well
        if !((norm - 1.0).abs() <= UNIT_TOLERANCE) {
            return Err(Error::BadRequest(format!(
                "vector {position} is not a finite unit vector"
            )));
        }
    }
    Ok(())
}

/// Round to half precision.
pub(crate) fn to_half(values: &[f32]) -> Vec<f16> {
    let mut halves = vec![f16::ZERO; values.len()];
    halves.convert_from_f32_slice(values);
    halves
}

/// What turns rows of one segment into i8 and into sketches.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Quantizer {
    /// Multiplies a value into -127..=127.
    pub(crate) scale: f32,
    /// (dim,) mean row; a sketch holds one bit for each value above it.
    pub(crate) mean: Vec<f32>,
}

impl Quantizer {
    /// Measure a segment: `row(i)` for `i < rows` are its rows of `dim` values.
    pub(crate) fn fit<'a>(rows: usize, dim: usize, row: impl Fn(usize) -> &'a [f16]) -> Self {
        let step = (rows * dim).div_ceil(SAMPLE_VALUES).max(1);
        let mut magnitudes = Vec::new();
        let mut mean = vec![0.0; dim];
        for position in (0..rows).step_by(step) {
            for (sum, value) in mean.iter_mut().zip(row(position)) {
                *sum += value.to_f32();
                magnitudes.push(value.to_f32().abs());
            }
        }
        let sampled = (magnitudes.len() / dim).max(1) as f32;
        mean.iter_mut().for_each(|sum| *sum /= sampled);
        Self {
            scale: 127.0 / quantile(&mut magnitudes, COVERED),
            mean,
        }
    }

    /// Round `row` into `out`, both of `dim` values.
    pub(crate) fn to_i8(&self, row: &[f32], out: &mut [i8]) {
        for (value, rounded) in row.iter().zip(out) {
            *rounded = (value * self.scale).round().clamp(-127.0, 127.0) as i8;
        }
    }

    /// Append the sketch of `row` to `out`: `words(dim)` words.
    pub(crate) fn sketch(&self, row: &[f32], out: &mut Vec<u64>) {
        for (values, means) in row.chunks(64).zip(self.mean.chunks(64)) {
            let bits = values.iter().zip(means).enumerate();
            out.push(bits.fold(0, |word, (bit, (value, mean))| {
                word | (u64::from(value > mean) << bit)
            }));
        }
    }
}

/// Words of a sketch of `dim` bits.
pub(crate) fn words(dim: usize) -> usize {
    dim.div_ceil(64)
}

fn quantile(magnitudes: &mut [f32], share: f64) -> f32 {
    let Some(last) = magnitudes.len().checked_sub(1) else {
        return 1.0;
    };
    let (_, found, above) =
        magnitudes.select_nth_unstable_by((last as f64 * share) as usize, f32::total_cmp);
    if *found > 0.0 {
        return *found;
    }
    above
        .iter()
        .copied()
        .fold(0.0, f32::max)
        .max(f32::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unit(values: &[f32]) -> Vec<f32> {
        let norm = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        values.iter().map(|value| value / norm).collect()
    }

    #[test]
    fn zero_and_nan_rows_are_refused() {
        assert!(check_rows(&[0.0; 4], 4).is_err());
        assert!(check_rows(&[f32::NAN, 0.0, 0.0, 1.0], 4).is_err());
        assert!(check_rows(&[f32::INFINITY, 0.0, 0.0, 1.0], 4).is_err());
        assert!(check_rows(&[0.0, 0.0, 0.0, 1.0], 4).is_ok());
    }

    proptest! {
        #[test]
        fn covered_values_are_off_by_half_a_step_at_most(values in prop::collection::vec(-1.0f32..1.0, 64)) {
            prop_assume!(values.iter().any(|value| value.abs() > 0.1));
            let row = unit(&values);
            let half = to_half(&row);
            let quantizer = Quantizer::fit(1, 64, |_| &half);
            let mut rounded = [0i8; 64];
            quantizer.to_i8(&row, &mut rounded);
            let limit = 127.0 / quantizer.scale;
            for (value, byte) in row.iter().zip(rounded) {
                let back = f32::from(byte) / quantizer.scale;
                prop_assert!((value.clamp(-limit, limit) - back).abs() <= 0.501 / quantizer.scale);
            }
        }

        #[test]
        fn a_sketch_has_one_bit_for_each_value(dim in 1usize..200) {
            let quantizer = Quantizer { scale: 1.0, mean: vec![0.0; dim] };
            let mut sketch = Vec::new();
            quantizer.sketch(&vec![1.0; dim], &mut sketch);
            prop_assert_eq!(sketch.len(), words(dim));
            prop_assert_eq!(sketch.iter().map(|word| word.count_ones() as usize).sum::<usize>(), dim);
        }
    }
}
