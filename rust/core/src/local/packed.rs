//! The packed local features of a view, as the catalog stores them.
//!
//! Little endian: magic `ALF1`, width and height of the gray picture (u16), count n (u16), bytes of a code (u8), and five
//! zero bytes; then arrays of n: x and y (u16, shares of width and height), scale (u8, sixteenths of an octave above one
//! pixel), angle (u8, 256ths of a turn), word (u16), signature (u64), code.

use crate::{Error, Result};

const MAGIC: &[u8; 4] = b"ALF1";
const HEAD: usize = 16;
/// Bytes of a feature beside its code.
const FEATURE: usize = 16;
/// Most features of a view.
pub const MAX_FEATURES: usize = 4096;

/// Features whose bytes have been checked.
#[derive(Debug, Clone, Copy)]
pub struct Packed<'a> {
    width: u16,
    height: u16,
    count: usize,
    arrays: &'a [u8],
}

/// What the index keeps of one feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// Nearest visual word.
    pub word: u16,
    /// Hamming-embedding signature relative to that word.
    pub signature: u64,
    /// Where it is, in 256ths of the picture's longer side, how large and how turned.
    pub pose: Pose,
}

/// Coarse place of a feature in a view, independent of the picture's resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pose {
    /// Distance from the left edge, 256ths of the longer side.
    pub x: u8,
    /// Distance from the upper edge, 256ths of the longer side.
    pub y: u8,
    /// Size, sixteenths of an octave above a 1024th of the longer side.
    pub scale: u8,
    /// Direction, 256ths of a turn.
    pub angle: u8,
}

impl Pose {
    pub(crate) fn to_bits(self) -> u32 {
        u32::from_le_bytes([self.x, self.y, self.scale, self.angle])
    }

    pub(crate) fn from_bits(bits: u32) -> Self {
        let [x, y, scale, angle] = bits.to_le_bytes();
        Self { x, y, scale, angle }
    }
}

impl<'a> Packed<'a> {
    /// Check the head and the length; reads nothing else.
    ///
    /// # Errors
    /// `BadRequest` when these are not packed features.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let refuse = |what: &str| {
            Err(Error::BadRequest(format!(
                "packed local features are {what}"
            )))
        };
        let Some((head, arrays)) = bytes.split_at_checked(HEAD) else {
            return refuse("cut short");
        };
        let number = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let (width, height, count) = (number(4), number(6), usize::from(number(8)));
        if head[..4] != *MAGIC || head[11..] != [0; 5] || width == 0 || height == 0 {
            return refuse("of another format");
        }
        if count > MAX_FEATURES {
            return refuse("too many");
        }
        if arrays.len() != count * (FEATURE + usize::from(head[10])) {
            return refuse("of another length than their count says");
        }
        Ok(Self {
            width,
            height,
            count,
            arrays,
        })
    }

    /// Number of features.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The features in their order.
    pub fn features(self) -> impl Iterator<Item = Feature> + 'a {
        let array = |from: usize, to: usize| &self.arrays[from * self.count..to * self.count];
        let longer = self.width.max(self.height);
        let coarse = move |side: u16, bytes: &[u8]| {
            let position = u64::from(u16::from_le_bytes([bytes[0], bytes[1]]));
            let share = position * u64::from(side) * 256 / (u64::from(longer) * 65535);
            share.min(255) as u8
        };
        let shift = (16.0 * (10.0 - f64::from(longer).log2())).round() as i32;
        let relative =
            move |scale: u8| (i32::from(scale) + shift).clamp(0, 255).unsigned_abs() as u8;
        let places = array(0, 2).chunks_exact(2).zip(array(2, 4).chunks_exact(2));
        let sizes = array(4, 5).iter().zip(array(5, 6));
        let words = array(6, 8).chunks_exact(2);
        let signatures = array(8, 16).as_chunks::<8>().0;
        places.zip(sizes).zip(words).zip(signatures).map(
            move |((((x, y), (&scale, &angle)), word), signature)| Feature {
                word: u16::from_le_bytes([word[0], word[1]]),
                signature: u64::from_le_bytes(*signature),
                pose: Pose {
                    x: coarse(self.width, x),
                    y: coarse(self.height, y),
                    scale: relative(scale),
                    angle,
                },
            },
        )
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One feature as it is written: x, y, scale, angle, word, signature.
    pub(crate) type Written = (u16, u16, u8, u8, u16, u64);

    /// Packed bytes with codes of `code_bytes` zeros.
    pub(crate) fn pack(size: [u16; 2], code_bytes: u8, features: &[Written]) -> Vec<u8> {
        let numbers =
            |numbers: &[u16]| -> Vec<u8> { numbers.iter().flat_map(|n| n.to_le_bytes()).collect() };
        let column =
            |part: fn(&Written) -> u16| numbers(&features.iter().map(part).collect::<Vec<_>>());
        let mut bytes = MAGIC.to_vec();
        bytes.extend(numbers(&[size[0], size[1], features.len() as u16]));
        bytes.extend([code_bytes, 0, 0, 0, 0, 0]);
        bytes.extend(column(|f| f.0));
        bytes.extend(column(|f| f.1));
        bytes.extend(features.iter().map(|f| f.2));
        bytes.extend(features.iter().map(|f| f.3));
        bytes.extend(column(|f| f.4));
        bytes.extend(features.iter().flat_map(|f| f.5.to_le_bytes()));
        bytes.resize(bytes.len() + features.len() * usize::from(code_bytes), 0);
        bytes
    }

    proptest! {
        #[test]
        fn words_and_signatures_are_read_back(
            features in prop::collection::vec(any::<Written>(), 0..40),
            size in any::<[u16; 2]>().prop_filter("not empty", |size| !size.contains(&0)),
            code_bytes in any::<u8>(),
        ) {
            let bytes = pack(size, code_bytes, &features);
            let packed = Packed::parse(&bytes).expect("sound");
            prop_assert_eq!(packed.len(), features.len());
            let read: Vec<_> = packed.features().map(|f| (f.word, f.signature, f.pose.angle)).collect();
            let written: Vec<_> = features.iter().map(|f| (f.4, f.5, f.3)).collect();
            prop_assert_eq!(read, written);
        }

        #[test]
        fn any_bytes_are_features_or_a_bad_request(mut bytes in prop::collection::vec(any::<u8>(), 0..300), magic: bool) {
            if magic && bytes.len() >= 16 {
                bytes[..4].copy_from_slice(MAGIC);
                bytes[11..16].fill(0);
                bytes[9] = 0;
            }
            match Packed::parse(&bytes) {
                Ok(packed) => prop_assert_eq!(packed.features().count(), packed.len()),
                Err(error) => prop_assert!(matches!(error, Error::BadRequest(_))),
            }
        }
    }

    #[test]
    fn poses_do_not_depend_on_the_resolution() {
        let small = pack([320, 160], 0, &[(65535, 65535, 64, 7, 0, 0)]);
        let large = pack([640, 320], 0, &[(65535, 65535, 80, 7, 0, 0)]);
        let pose = |bytes: &[u8]| {
            Packed::parse(bytes)
                .expect("sound")
                .features()
                .next()
                .map(|f| f.pose)
        };
        assert_eq!(pose(&small), pose(&large));
        let expected = Pose {
            x: 255,
            y: 128,
            scale: 91,
            angle: 7,
        };
        assert_eq!(pose(&small), Some(expected));
    }

    #[test]
    fn other_lengths_counts_and_heads_are_refused() {
        let sound = pack([9, 9], 32, &[(1, 2, 3, 4, 5, 6)]);
        assert!(Packed::parse(&sound).is_ok());
        for length in 0..sound.len() {
            assert!(Packed::parse(&sound[..length]).is_err());
        }
        for at in [0, 4, 6, 8, 10, 11, 15] {
            let mut changed = sound.clone();
            changed[at] = u8::from(changed[at] == 0);
            assert!(Packed::parse(&changed).is_err(), "byte {at}");
        }
        let many = pack([9, 9], 0, &vec![(0, 0, 0, 0, 0, 0); MAX_FEATURES + 1]);
        assert!(Packed::parse(&many).is_err());
    }
}
