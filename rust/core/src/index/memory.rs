//! The only unsafe code of the crate: files seen as memory, and one scalar type seen as another of the same bits.
#![allow(unsafe_code)]

use std::fs::File;
use std::path::Path;

use half::f16;
use memmap2::Mmap;
use numkong::Dot;

use super::folder::name_of;
use crate::{Error, Result};

/// A file of the index, mapped for reading.
///
/// Files of the index are written once under a temporary name, renamed, and afterwards only ever unlinked.
pub(crate) struct Mapped(Mmap);

impl Mapped {
    /// Map the whole of `path`.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let failed = |error| {
            Error::Store(format!(
                "index file {} cannot be read: {error}",
                name_of(path)
            ))
        };
        let file = File::open(path).map_err(failed)?;
        // SAFETY: no part of Arthur writes to or truncates a file of the index after its rename, so the bytes
        // below the slice do not change. Whoever truncates files by hand gets SIGBUS, as with any mapped file.
        let map = unsafe { Mmap::map(&file) }.map_err(failed)?;
        Ok(Self(map))
    }

    /// The bytes; the start is aligned to a page.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

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
