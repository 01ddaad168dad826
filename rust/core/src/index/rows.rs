//! Checked rows, and their form in the index.

use half::f16;
use half::slice::HalfFloatSliceExt;

use crate::{Error, Result};

/// How far the length of a row may be from one.
const UNIT_TOLERANCE: f32 = 5e-3;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_nan_rows_are_refused() {
        assert!(check_rows(&[0.0; 4], 4).is_err());
        assert!(check_rows(&[f32::NAN, 0.0, 0.0, 1.0], 4).is_err());
        assert!(check_rows(&[f32::INFINITY, 0.0, 0.0, 1.0], 4).is_err());
        assert!(check_rows(&[0.0, 0.0, 0.0, 1.0], 4).is_ok());
    }
}
