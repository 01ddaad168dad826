//! Sizes and regions: pure arithmetic, in pixels of the whole picture.

/// Width and height, pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Number of columns.
    pub width: u32,
    /// Number of rows.
    pub height: u32,
}

impl Size {
    /// Width times height.
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// The longer of both.
    pub fn longest(self) -> u32 {
        self.width.max(self.height)
    }

    /// The size after averaging blocks of `reduction` by `reduction` pixels, partial blocks included.
    pub(super) fn reduced(self, reduction: u32) -> Self {
        Self {
            width: self.width.div_ceil(reduction),
            height: self.height.div_ceil(reduction),
        }
    }

    /// Everything, as a region.
    pub(super) fn region(self) -> Region {
        Region {
            left: 0.0,
            top: 0.0,
            width: self.width.into(),
            height: self.height.into(),
        }
    }
}

/// A rectangle with fractional edges, pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Region {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

/// Pixels that must remain for each pixel of the square, each way.
///
/// Vectors made after reducing to 2 were up to 2.6e-4 (1 - cosine) from those of the whole picture, to 2.9 up to
/// 1.4e-4, to 3.3 up to 6e-5. With 3.4 a photo of twelve megapixels would no longer be read at a quarter for a
/// side of 224.
const FLOOR: f64 = 3.3;

/// How a picture becomes a square.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The shorter side becomes the square's, then the centre is cut out.
    Crop,
    /// Both sides become the square's.
    Stretch,
}

/// The part of a picture that becomes the square.
///
/// For `Crop` it is the region that resizing the shorter side to `side` and cutting out the centre would take, with
/// the rounding of torchvision's `Resize` and `CenterCrop`, so that vectors agree with engines trained on those.
pub fn crop_region(picture: Size, side: u32, fit: Fit) -> Region {
    let whole = picture.region();
    if fit == Fit::Stretch || picture.width == picture.height {
        return whole;
    }
    let (shorter, longest) = (picture.width.min(picture.height), picture.longest());
    // Exact: both stay far below 2^53.
    let resized = (f64::from(side) * f64::from(longest) / f64::from(shorter)).floor();
    let offset = ((resized - f64::from(side)) / 2.0).round_ties_even();
    let scale = f64::from(longest) / resized;
    let (start, length) = (offset * scale, f64::from(side) * scale);
    if picture.width > picture.height {
        Region {
            left: start,
            width: length,
            ..whole
        }
    } else {
        Region {
            top: start,
            height: length,
            ..whole
        }
    }
}

/// The size with the same aspect whose longest side is at most `longest`; never larger than `size`.
pub fn preview_size(size: Size, longest: u32) -> Size {
    if size.longest() <= longest {
        return size;
    }
    let (whole, part) = (u64::from(size.longest()), u64::from(longest));
    let scaled = |length: u32| ((u64::from(length) * part + whole / 2) / whole).max(1) as u32;
    Size {
        width: scaled(size.width),
        height: scaled(size.height),
    }
}

/// The largest power of two, at most `most`, by which a picture can be reduced before it is resized.
///
/// What remains of `region` is still at least [`FLOOR`] times `side` each way, and what remains
/// of the whole at least as long as the preview.
pub(super) fn reduction(
    picture: Size,
    region: Region,
    side: u32,
    preview_side: u32,
    most: u32,
) -> u32 {
    let shorter = region.width.min(region.height);
    let preview = preview_side.min(picture.longest());
    let serves = |by: u32| {
        shorter / f64::from(by) >= FLOOR * f64::from(side)
            && picture.longest().div_ceil(by) >= preview
    };
    let mut by = 1;
    while by < most && serves(by * 2) {
        by *= 2;
    }
    by
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PHOTO: Size = Size {
        width: 4000,
        height: 3000,
    };

    #[test]
    fn a_photo_is_reduced_to_no_less_than_the_floor() {
        let region = crop_region(PHOTO, 224, Fit::Crop);
        assert_eq!(reduction(PHOTO, region, 224, 0, 8), 4);
    }

    #[test]
    fn a_small_picture_is_not_reduced() {
        let size = Size {
            width: 300,
            height: 200,
        };
        assert_eq!(reduction(size, size.region(), 224, 0, 8), 1);
    }

    #[test]
    fn the_preview_keeps_the_reduction_low() {
        let region = crop_region(PHOTO, 64, Fit::Crop);
        assert_eq!(reduction(PHOTO, region, 64, 0, 8), 8);
        assert_eq!(reduction(PHOTO, region, 64, 1000, 8), 4);
    }

    #[test]
    fn the_crop_rounds_as_torchvision_does() {
        let region = crop_region(
            Size {
                width: 333,
                height: 250,
            },
            224,
            Fit::Crop,
        );
        let scale = 333.0 / 298.0;
        assert_eq!(
            region,
            Region {
                left: 37.0 * scale,
                top: 0.0,
                width: 224.0 * scale,
                height: 250.0
            }
        );
    }

    proptest! {
        #[test]
        fn the_crop_lies_within_the_picture(width in 1u32..70_000, height in 1u32..70_000, side in 1u32..1024) {
            let size = Size { width, height };
            let region = crop_region(size, side, Fit::Crop);
            prop_assert!(region.left >= 0.0 && region.top >= 0.0);
            prop_assert!(region.left + region.width <= f64::from(width) + 1e-6);
            prop_assert!(region.top + region.height <= f64::from(height) + 1e-6);
        }

        #[test]
        fn a_preview_is_never_enlarged(width in 1u32..70_000, height in 1u32..70_000, longest in 1u32..4096) {
            let size = Size { width, height };
            let preview = preview_size(size, longest);
            prop_assert!(preview.longest() <= longest.max(1));
            prop_assert!(preview.width <= width && preview.height <= height);
        }

        #[test]
        fn a_reduction_leaves_enough(width in 1u32..70_000, height in 1u32..70_000, side in 1u32..1024) {
            let size = Size { width, height };
            let region = crop_region(size, side, Fit::Crop);
            let by = reduction(size, region, side, 0, 8);
            prop_assert!(by == 1 || region.width.min(region.height) / f64::from(by) >= FLOOR * f64::from(side));
        }
    }
}
