//! The eight ways a stored picture may have to be turned or mirrored to stand upright (EXIF tag 0x0112).

use super::geometry::{Region, Size};

/// An EXIF orientation; 1 is upright.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orientation(u8);

impl Orientation {
    /// The picture is stored upright.
    pub const UPRIGHT: Self = Self(1);

    /// `None` when the number names no orientation.
    pub fn new(number: u32) -> Option<Self> {
        u8::try_from(number)
            .ok()
            .filter(|number| (1..=8).contains(number))
            .map(Self)
    }

    fn transposes(self) -> bool {
        self.0 >= 5
    }

    fn mirrors_columns(self) -> bool {
        matches!(self.0, 2 | 3 | 7 | 8)
    }

    fn mirrors_rows(self) -> bool {
        matches!(self.0, 3 | 4 | 6 | 7)
    }

    /// The size upright of a picture stored as `size`, and the other way round.
    pub fn size(self, size: Size) -> Size {
        if self.transposes() {
            Size {
                width: size.height,
                height: size.width,
            }
        } else {
            size
        }
    }

    /// Where `region` of the upright picture lies in the picture stored as `stored`.
    pub fn region(self, region: Region, stored: Size) -> Region {
        let Region {
            mut left,
            mut top,
            mut width,
            mut height,
        } = region;
        if self.transposes() {
            (left, top, width, height) = (top, left, height, width);
        }
        if self.mirrors_columns() {
            left = f64::from(stored.width) - left - width;
        }
        if self.mirrors_rows() {
            top = f64::from(stored.height) - top - height;
        }
        Region {
            left,
            top,
            width,
            height,
        }
    }

    /// Turn a stored picture of interleaved samples upright; the size returned is the upright one.
    pub fn apply(self, pixels: Vec<u8>, stored: Size, channels: usize) -> (Vec<u8>, Size) {
        if self == Self::UPRIGHT {
            return (pixels, stored);
        }
        let upright = self.size(stored);
        let (columns, rows) = (stored.width as usize, stored.height as usize);
        let mut turned = Vec::with_capacity(pixels.len());
        for y in 0..upright.height as usize {
            for x in 0..upright.width as usize {
                let (mut column, mut row) = if self.transposes() { (y, x) } else { (x, y) };
                if self.mirrors_columns() {
                    column = columns - 1 - column;
                }
                if self.mirrors_rows() {
                    row = rows - 1 - row;
                }
                let at = (row * columns + column) * channels;
                turned.extend_from_slice(&pixels[at..at + channels]);
            }
        }
        (turned, upright)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STORED: Size = Size {
        width: 3,
        height: 2,
    };

    fn turned(number: u32) -> Vec<u8> {
        let orientation = Orientation::new(number).unwrap_or(Orientation::UPRIGHT);
        orientation.apply(vec![1, 2, 3, 4, 5, 6], STORED, 1).0
    }

    #[test]
    fn every_orientation_is_as_exif_defines_it() {
        assert_eq!(turned(1), [1, 2, 3, 4, 5, 6]);
        assert_eq!(turned(2), [3, 2, 1, 6, 5, 4]);
        assert_eq!(turned(3), [6, 5, 4, 3, 2, 1]);
        assert_eq!(turned(4), [4, 5, 6, 1, 2, 3]);
        assert_eq!(turned(5), [1, 4, 2, 5, 3, 6]);
        assert_eq!(turned(6), [4, 1, 5, 2, 6, 3]);
        assert_eq!(turned(7), [6, 3, 5, 2, 4, 1]);
        assert_eq!(turned(8), [3, 6, 2, 5, 1, 4]);
    }

    #[test]
    fn numbers_outside_the_standard_name_nothing() {
        assert_eq!(Orientation::new(0), None);
        assert_eq!(Orientation::new(9), None);
        assert_eq!(Orientation::new(257), None);
    }

    proptest! {
        #[test]
        fn a_region_holds_the_pixels_it_held_upright(number in 1u32..=8, x in 0u32..3, y in 0u32..2) {
            let orientation = Orientation::new(number).unwrap_or(Orientation::UPRIGHT);
            let (upright, size) = orientation.apply(vec![1, 2, 3, 4, 5, 6], STORED, 1);
            let (x, y) = (x % size.width, y % size.height);
            let region = Region { left: x.into(), top: y.into(), width: 1.0, height: 1.0 };
            let stored = orientation.region(region, STORED);
            let held = upright[(y * size.width + x) as usize];
            prop_assert!((stored.top * 3.0 + stored.left + 1.0 - f64::from(held)).abs() < 0.5);
        }
    }
}
