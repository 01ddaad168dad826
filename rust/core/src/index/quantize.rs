//! Rows in other precisions: f16 for exact scores, i8 for the graph.

use half::f16;
use half::slice::HalfFloatSliceExt;

use crate::{Error, Result};

/// How far the length of a row may be from one.
const UNIT_TOLERANCE: f32 = 5e-3;
/// Values looked at to find the scale of a segment.
const SAMPLE_VALUES: usize = 1 << 21;
/// One magnitude in so many may lie beyond the i8 range, where it saturates: the scale is that of the 99.95th percentile.
const SATURATED: usize = 2000;

/// Refuse rows that are not finite unit vectors of `dim` values.
pub(crate) fn check_rows(rows: &[f32], dim: usize) -> Result<()> {
    for (position, row) in rows.chunks_exact(dim).enumerate() {
        let norm = row.iter().map(|value| value * value).sum::<f32>().sqrt();
        let is_unit = (norm - 1.0).abs() <= UNIT_TOLERANCE;
        if !is_unit {
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

/// What turns the rows of one segment into i8.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quantizer {
    /// Multiplies a value into -127..=127.
    pub(crate) scale: f32,
}

impl Quantizer {
    /// Measure `rows` rows of `dim` values: `row(i)` is one of them.
    pub(crate) fn fit<'a>(rows: usize, dim: usize, row: impl Fn(usize) -> &'a [f16]) -> Self {
        let step = (rows * dim).div_ceil(SAMPLE_VALUES).max(1);
        let sampled = (0..rows).step_by(step).flat_map(row);
        let mut magnitudes: Vec<f32> = sampled.map(|value| value.to_f32().abs()).collect();
        Self {
            scale: 127.0 / covered(&mut magnitudes),
        }
    }

    /// Round `row` into `out`, both of `dim` values.
    pub(crate) fn to_i8(self, row: &[f32], out: &mut [i8]) {
        for (value, rounded) in row.iter().zip(out) {
            *rounded = (value * self.scale).round().clamp(-127.0, 127.0) as i8;
        }
    }
}

/// The magnitude that all but one in `SATURATED` are below; never zero.
fn covered(magnitudes: &mut [f32]) -> f32 {
    let Some(last) = magnitudes.len().checked_sub(1) else {
        return 1.0;
    };
    let (_, found, above) =
        magnitudes.select_nth_unstable_by(last - last / SATURATED, f32::total_cmp);
    if *found > 0.0 {
        return *found;
    }
    above.iter().copied().fold(f32::MIN_POSITIVE, f32::max)
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
    }
}
