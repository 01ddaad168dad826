//! Rows of numbers that are read a tile at a time, and rings that keep only the latest of them.

/// Columns worked on at once: vectors of every width fit into it.
pub(super) const TILE: usize = 64;
const LINE_BYTES: usize = 64;

/// Return a tile that starts at `at`, or zeros where there is none.
#[expect(
    clippy::inline_always,
    reason = "must become part of the loops that use it"
)]
#[inline(always)]
pub(super) fn tile<const N: usize, T: Zeros<N>>(values: &[T], at: usize) -> &[T; N] {
    values
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .unwrap_or(T::ZEROS)
}

/// Numbers that have a tile of zeros.
pub(super) trait Zeros<const N: usize>: Sized + 'static {
    /// It.
    const ZEROS: &'static [Self; N];
}

impl<const N: usize> Zeros<N> for f32 {
    const ZEROS: &'static [Self; N] = &[0.0; N];
}

impl<const N: usize> Zeros<N> for i16 {
    const ZEROS: &'static [Self; N] = &[0; N];
}

impl<const N: usize> Zeros<N> for u16 {
    const ZEROS: &'static [Self; N] = &[0; N];
}

/// A float this large has no digits after the point, and its bits count on by one with each whole number.
const WHOLE: f32 = 12_582_912.0;

/// Return the whole number nearest to a value of at most 2^22, in plain arithmetic: conversions are not made vectors.
#[expect(
    clippy::inline_always,
    reason = "must become part of the loops that use it"
)]
#[inline(always)]
pub(super) fn nearest(value: f32) -> i32 {
    (value + WHOLE).to_bits() as i32 - WHOLE.to_bits() as i32
}

/// Return the whole part of a value, and what is beyond it, 0..=1: a whole number may be taken for one less and 1.
#[expect(
    clippy::inline_always,
    reason = "must become part of the loops that use it"
)]
#[inline(always)]
pub(super) fn parts(value: f32) -> (i32, f32) {
    let whole = nearest(value - 0.5);
    (whole, value - whole as f32)
}

/// Return a width rounded up to whole tiles.
pub(super) fn whole_tiles(width: usize) -> usize {
    width.next_multiple_of(TILE)
}

/// Return the row or column of a picture that is seen at `at` when its edges are mirrors.
pub(super) fn mirrored(at: isize, size: usize) -> usize {
    let last = size as isize - 1;
    let mut at = at;
    while last > 0 && !(0..=last).contains(&at) {
        at = if at < 0 { -at } else { 2 * last - at };
    }
    at.min(last).max(0) as usize
}

/// The latest rows of a picture that is made from top to bottom.
pub(super) struct Ring<T> {
    pub(super) values: Vec<T>,
    pub(super) stride: usize,
    rows: usize,
}

impl<T: Copy + Default> Ring<T> {
    /// Make a ring for the latest `rows` rows, each at least `width` wide, of whole tiles.
    pub(super) fn new(width: usize, rows: usize) -> Self {
        // An odd number of cache lines: rows below each other then lie in different sets of the cache.
        let line = LINE_BYTES / size_of::<T>();
        let lines = whole_tiles(width).div_ceil(line);
        let stride = (lines + 1 - lines % 2) * line;
        Self {
            values: vec![T::default(); stride * rows],
            stride,
            rows,
        }
    }

    /// Return where the values of a row begin.
    pub(super) fn at(&self, row: usize) -> usize {
        row % self.rows * self.stride
    }

    /// Return a row.
    pub(super) fn row(&self, row: usize) -> &[T] {
        let at = self.at(row);
        &self.values[at..at + self.stride]
    }

    /// Return a row to be written.
    pub(super) fn row_mut(&mut self, row: usize) -> &mut [T] {
        let at = self.at(row);
        &mut self.values[at..at + self.stride]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_mirrors() {
        let seen: Vec<_> = (-5..8).map(|at| mirrored(at, 4)).collect();
        assert_eq!(seen, [1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]);
        assert_eq!(mirrored(-3, 1), 0);
    }

    #[test]
    fn a_ring_keeps_the_latest_rows() {
        let mut ring = Ring::<i16>::new(40, 3);
        for row in 0..5 {
            ring.row_mut(row).fill(row as i16);
        }
        assert_eq!([2, 3, 4].map(|row| ring.row(row)[39]), [2, 3, 4]);
    }
}
