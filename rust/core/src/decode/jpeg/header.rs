//! The markers of a JPEG file up to its first scan.

use crate::Result;
use crate::decode::exif;
use crate::decode::geometry::Size;
use crate::decode::limits::Limits;
use crate::decode::orientation::Orientation;
use crate::decode::sniff::Format;

const SOF0: u8 = 0xc0;
const SOF15: u8 = 0xcf;
const DHT: u8 = 0xc4;
const JPG: u8 = 0xc8;
const DAC: u8 = 0xcc;
const RST0: u8 = 0xd0;
pub(super) const SOI: u8 = 0xd8;
pub(super) const EOI: u8 = 0xd9;
pub(super) const SOS: u8 = 0xda;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const TEM: u8 = 0x01;
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// What a decoder will meet.
pub(super) struct Header {
    pub(super) size: Size,
    /// Number of the start-of-frame marker: 0 baseline, 2 progressive, 3 lossless, 9 arithmetic, ...
    pub(super) process: u8,
    /// Bits per sample.
    pub(super) precision: u8,
    /// Sampling factors, horizontal and vertical.
    pub(super) components: Vec<(u8, u8)>,
    /// Whether the first scan holds all components whole, so that no other scan need follow.
    pub(super) single_scan: bool,
    pub(super) orientation: Orientation,
    pub(super) profile: Option<Vec<u8>>,
}

impl Header {
    /// Walk the segments from the start of the file.
    pub(super) fn parse(data: &[u8]) -> Result<Self> {
        let mut found = Found::default();
        let mut at = 2;
        while let Some((marker, body, next)) = segment(data, at) {
            match marker {
                SOS => return found.header(body),
                EOI => break,
                _ => found.take(marker, body),
            }
            at = next;
        }
        Err(Format::Jpeg.damaged("it ends before its picture begins"))
    }

    /// Memory for the coefficients of a picture that comes in several scans, bytes.
    pub(super) fn coefficient_bytes(&self) -> u64 {
        if self.single_scan {
            return 0;
        }
        let most = |pick: fn(&(u8, u8)) -> u8| self.components.iter().map(pick).max().unwrap_or(1);
        let whole = (most(|sampling| sampling.0), most(|sampling| sampling.1));
        let blocks: u64 = self
            .components
            .iter()
            .map(|&share| self.size.blocks(share, whole))
            .sum();
        blocks * 64 * 2
    }
}

/// The marker at or after `at`, its body and where the next one is looked for; `None` at the end of the file.
pub(super) fn segment(data: &[u8], at: usize) -> Option<(u8, &[u8], usize)> {
    let mut at = at;
    loop {
        at += data
            .get(at..)?
            .windows(2)
            .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff))?;
        let marker = data[at + 1];
        if !matches!(marker, TEM | RST0..=SOI) {
            break;
        }
        at += 2;
    }
    let (marker, start) = (data[at + 1], at + 2);
    if marker == EOI {
        return Some((marker, &[], start));
    }
    let length = usize::from(u16::from_be_bytes(
        data.get(start..start + 2)?.try_into().ok()?,
    ));
    let next = start + length.max(2);
    Some((marker, data.get(start + 2..next)?, next))
}

#[derive(Default)]
struct Found<'a> {
    frame: Option<(u8, &'a [u8])>,
    orientation: Option<Orientation>,
    xmp_orientation: Option<Orientation>,
    profile: Vec<(u8, u8, &'a [u8])>,
}

impl<'a> Found<'a> {
    fn take(&mut self, marker: u8, body: &'a [u8]) {
        match marker {
            DHT | JPG | DAC => {}
            SOF0..=SOF15 => self.frame = Some((marker - SOF0, body)),
            APP1 if body.starts_with(b"Exif\0\0") => {
                self.orientation = self.orientation.or_else(|| exif::orientation(body));
            }
            APP1 if body.starts_with(XMP) => {
                self.xmp_orientation = self.xmp_orientation.or_else(|| exif::xmp_orientation(body));
            }
            APP2 => {
                if let Some([number, count, chunk @ ..]) = body.strip_prefix(b"ICC_PROFILE\0") {
                    self.profile.push((*number, *count, chunk));
                }
            }
            _ => {}
        }
    }

    fn header(self, scan: &[u8]) -> Result<Header> {
        let damaged = || Format::Jpeg.damaged("its frame header is missing or wrong");
        let (process, frame) = self.frame.ok_or_else(damaged)?;
        let &[precision, high, low, wide, wider, count, ref rest @ ..] = frame else {
            return Err(damaged());
        };
        let components: Vec<_> = rest
            .chunks_exact(3)
            .map(|one| (one[1] >> 4, one[1] & 15))
            .collect();
        if components.len() != usize::from(count) {
            return Err(damaged());
        }
        let (height, width) = (
            u16::from_be_bytes([high, low]),
            u16::from_be_bytes([wide, wider]),
        );
        let progressive = matches!(process, 2 | 10);
        Ok(Header {
            size: Size {
                width: width.into(),
                height: height.into(),
            },
            process,
            precision,
            single_scan: !progressive && scan.first() == Some(&count),
            components,
            orientation: self
                .orientation
                .or(self.xmp_orientation)
                .unwrap_or(Orientation::UPRIGHT),
            profile: self.joined_profile(),
        })
    }

    /// The profile, when each of its chunks is there once.
    fn joined_profile(mut self) -> Option<Vec<u8>> {
        self.profile.sort_by_key(|&(number, _, _)| number);
        let count = self.profile.len();
        let complete =
            self.profile.iter().zip(1..).all(|(&(number, of, _), at)| {
                usize::from(number) == at && usize::from(of) == count
            });
        let bytes: usize = self.profile.iter().map(|(_, _, chunk)| chunk.len()).sum();
        (complete && count > 0 && bytes <= Limits::PROFILE).then(|| {
            self.profile
                .iter()
                .flat_map(|(_, _, chunk)| *chunk)
                .copied()
                .collect()
        })
    }
}
