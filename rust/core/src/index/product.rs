//! One scalar type seen as another of the same bits.
#![allow(unsafe_code)]

use half::f16;
use numkong::Dot;

/// Inner product of two rows of the same length, accumulated in f32 by the widest instructions of this processor.
pub(crate) fn dot(left: &[f16], right: &[f16]) -> f32 {
    numkong::f16::dot(as_numkong(left), as_numkong(right)).unwrap_or(f32::NEG_INFINITY)
}

fn as_numkong(row: &[f16]) -> &[numkong::f16] {
    // SAFETY: both types are `repr(transparent)` over the same `u16` of IEEE 754 binary16.
    unsafe { std::slice::from_raw_parts(row.as_ptr().cast(), row.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_agrees_with_double_precision() {
        let left: Vec<f16> = (0..512u16)
            .map(|i| f16::from_f32(f32::from(i % 17) / 200.0 - 0.04))
            .collect();
        let right: Vec<f16> = (0..512u16)
            .map(|i| f16::from_f32(f32::from(i % 23) / 250.0 - 0.05))
            .collect();
        let truth: f64 = left
            .iter()
            .zip(&right)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum();
        assert!((f64::from(dot(&left, &right)) - truth).abs() < 1e-5);
    }
}
