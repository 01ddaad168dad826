//! The one EXIF fact that matters here: how to turn the picture.

use super::orientation::Orientation;

const ORIENTATION: u16 = 0x0112;
const ENTRY_BYTES: usize = 12;

/// The orientation in an EXIF block: a TIFF header and its first directory, with or without the `Exif\0\0` before
/// it. Anything unreadable counts as upright, as viewers do.
pub(super) fn orientation(block: &[u8]) -> Orientation {
    let tiff = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    tag(tiff)
        .and_then(Orientation::new)
        .unwrap_or(Orientation::UPRIGHT)
}

fn tag(tiff: &[u8]) -> Option<u32> {
    let reader = Reader {
        tiff,
        little: little_endian(tiff)?,
    };
    let directory = reader.long(4)? as usize;
    let entries = usize::from(reader.short(directory)?);
    (0..entries)
        .map_while(|entry| Some(directory.checked_add(2 + entry * ENTRY_BYTES)?))
        .take_while(|&at| reader.short(at).is_some())
        .find(|&at| reader.short(at) == Some(ORIENTATION))
        .and_then(|at| reader.value(at))
}

fn little_endian(tiff: &[u8]) -> Option<bool> {
    match tiff.get(..4)? {
        b"II*\0" => Some(true),
        b"MM\0*" => Some(false),
        _ => None,
    }
}

struct Reader<'a> {
    tiff: &'a [u8],
    little: bool,
}

impl Reader<'_> {
    fn short(&self, at: usize) -> Option<u16> {
        let bytes = self.tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    }

    fn long(&self, at: usize) -> Option<u32> {
        let bytes = self.tiff.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.little {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    }

    /// The value of the entry at `at`: SHORT as the standard has it, or LONG as some software writes it.
    fn value(&self, at: usize) -> Option<u32> {
        match self.short(at + 2)? {
            3 => self.short(at + 8).map(u32::from),
            4 => self.long(at + 8),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block(kind: u8, value: &[u8]) -> Vec<u8> {
        let head = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0";
        [head.as_slice(), &[kind, 0, 0, 0, 1], value, &[0; 4]].concat()
    }

    #[test]
    fn a_short_is_read() {
        assert_eq!(
            Some(orientation(&block(3, &[0, 6, 0, 0]))),
            Orientation::new(6)
        );
    }

    #[test]
    fn a_long_is_read() {
        assert_eq!(
            Some(orientation(&block(4, &[0, 0, 0, 8]))),
            Orientation::new(8)
        );
    }

    #[test]
    fn an_impossible_value_is_upright() {
        assert_eq!(orientation(&block(3, &[0, 77, 0, 0])), Orientation::UPRIGHT);
    }

    proptest! {
        #[test]
        fn no_block_is_fatal(rest in proptest::collection::vec(any::<u8>(), 0..64)) {
            let found = orientation(&[b"II*\0".as_slice(), &rest].concat());
            prop_assert!((1..=8).any(|number| Orientation::new(number) == Some(found)));
        }
    }
}
