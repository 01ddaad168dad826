//! The one EXIF fact that matters here: how to turn the picture.

use super::orientation::Orientation;

const ORIENTATION: u16 = 0x0112;
const ENTRY_BYTES: usize = 12;

/// The orientation in an EXIF block: a TIFF header and its first directory, with or without the `Exif\0\0` before
/// it. Anything unreadable says nothing.
pub(super) fn orientation(block: &[u8]) -> Option<Orientation> {
    let tiff = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    tag(tiff).and_then(Orientation::new)
}

/// The orientation in an XMP packet, which counts where EXIF says nothing.
pub(super) fn xmp_orientation(packet: &[u8]) -> Option<Orientation> {
    const NAME: &[u8] = b"tiff:Orientation";
    let at = packet
        .windows(NAME.len())
        .position(|window| window == NAME)?;
    let value = &packet[at + NAME.len()..];
    let digit = value
        .strip_prefix(b"=\"")
        .or_else(|| value.strip_prefix(b">"))?
        .first()?;
    Orientation::new(u32::from(digit.checked_sub(b'0')?))
}

fn tag(tiff: &[u8]) -> Option<u32> {
    let reader = Reader {
        tiff,
        little: little_endian(tiff)?,
    };
    let directory = reader.long(4)? as usize;
    let entries = usize::from(reader.short(directory)?);
    (0..entries)
        .map_while(|entry| directory.checked_add(2 + entry * ENTRY_BYTES))
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
        assert_eq!(orientation(&block(3, &[0, 6, 0, 0])), Orientation::new(6));
    }

    #[test]
    fn a_long_is_read() {
        assert_eq!(orientation(&block(4, &[0, 0, 0, 8])), Orientation::new(8));
    }

    #[test]
    fn an_impossible_value_says_nothing() {
        assert_eq!(orientation(&block(3, &[0, 77, 0, 0])), None);
    }

    #[test]
    fn xmp_is_read_as_attribute_and_as_element() {
        assert_eq!(
            xmp_orientation(b"<x tiff:Orientation=\"6\"/>"),
            Orientation::new(6)
        );
        assert_eq!(
            xmp_orientation(b"<tiff:Orientation>8</tiff:Orientation>"),
            Orientation::new(8)
        );
        assert_eq!(xmp_orientation(b"<tiff:Orientation>"), None);
    }

    proptest! {
        #[test]
        fn no_block_is_fatal(rest in proptest::collection::vec(any::<u8>(), 0..64)) {
            let block = [b"II*\0".as_slice(), &rest].concat();
            prop_assert!(orientation(&block).is_none_or(|found| (1..=8).any(|n| Orientation::new(n) == Some(found))));
        }
    }
}
