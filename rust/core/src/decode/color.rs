//! Colours to sRGB by the embedded ICC profile, on the small pictures.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use moxcms::{ColorProfile, DataColorSpace, Layout, Transform8BitExecutor, TransformOptions};

use super::limits::Limits;
use super::raster::Channels;

/// Converts samples of one picture to sRGB.
pub(super) struct Converter {
    channels: Channels,
    transform: Option<Arc<Transform8BitExecutor>>,
}

impl Converter {
    /// A profile that is broken, or not for these channels, counts as absent: viewers show such pictures.
    pub(super) fn new(channels: Channels, profile: Option<&[u8]>) -> Self {
        let transform = profile
            .filter(|profile| profile.len() <= Limits::PROFILE && !is_srgb(profile))
            .and_then(|profile| {
                catch_unwind(AssertUnwindSafe(|| transform(channels, profile))).ok()?
            });
        Self {
            channels,
            transform,
        }
    }

    /// The samples as sRGB, three per pixel.
    pub(super) fn srgb(&self, samples: Vec<u8>) -> Vec<u8> {
        let Some(transform) = &self.transform else {
            return plain(self.channels, samples);
        };
        let mut converted = vec![0; samples.len() / self.channels.count() * 3];
        let ink = if self.channels == Channels::InvertedCmyk {
            inverted(&samples)
        } else {
            Vec::new()
        };
        let source = if ink.is_empty() { &samples } else { &ink };
        let done = catch_unwind(AssertUnwindSafe(|| {
            transform.transform(source, &mut converted)
        }));
        if matches!(done, Ok(Ok(()))) {
            converted
        } else {
            plain(self.channels, samples)
        }
    }
}

/// Luma of sRGB samples (ITU-R 601), rounded as Pillow rounds it.
pub(super) fn luma(srgb: &[u8]) -> Vec<u8> {
    let (pixels, _) = srgb.as_chunks::<3>();
    pixels
        .iter()
        .map(|&[red, green, blue]| {
            let sum = u32::from(red) * 19595 + u32::from(green) * 38470 + u32::from(blue) * 7471;
            ((sum + 0x8000) >> 16) as u8
        })
        .collect()
}

fn transform(channels: Channels, profile: &[u8]) -> Option<Arc<Transform8BitExecutor>> {
    let profile = ColorProfile::new_from_slice(profile).ok()?;
    let (space, layout) = match channels {
        Channels::Gray => (DataColorSpace::Gray, Layout::Gray),
        Channels::Rgb => (DataColorSpace::Rgb, Layout::Rgb),
        Channels::InvertedCmyk => (DataColorSpace::Cmyk, Layout::Rgba),
    };
    if profile.color_space != space {
        return None;
    }
    let srgb = ColorProfile::new_srgb();
    profile
        .create_transform_8bit(layout, &srgb, Layout::Rgb, TransformOptions::default())
        .ok()
}

/// Whether the profile calls itself sRGB. Nearly all pictures with a profile carry one of these.
fn is_srgb(profile: &[u8]) -> bool {
    // Descriptions are ASCII in version 2 profiles and UTF-16 in version 4; both come within the first kilobyte.
    let head = &profile[..profile.len().min(1024)];
    let holds = |text: &[u8]| head.windows(text.len()).any(|window| window == text);
    holds(b"sRGB IEC61966") || holds(b"s\0R\0G\0B\0 \0I\0E\0C")
}

fn plain(channels: Channels, samples: Vec<u8>) -> Vec<u8> {
    match channels {
        Channels::Rgb => samples,
        Channels::Gray => samples.iter().flat_map(|&sample| [sample; 3]).collect(),
        Channels::InvertedCmyk => {
            let (pixels, _) = samples.as_chunks::<4>();
            pixels
                .iter()
                .flat_map(|&[cyan, magenta, yellow, black]| {
                    [cyan, magenta, yellow].map(|ink| lit(ink, black))
                })
                .collect()
        }
    }
}

/// Light left by two inks, 255 being no ink.
fn lit(ink: u8, black: u8) -> u8 {
    let product = u32::from(ink) * u32::from(black) + 128;
    ((product + (product >> 8)) >> 8) as u8
}

fn inverted(samples: &[u8]) -> Vec<u8> {
    samples.iter().map(|&sample| 255 - sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_for_a_profile_is_ignored() {
        let converter = Converter::new(Channels::Rgb, Some(&[7; 300]));
        assert_eq!(converter.srgb(vec![1, 2, 3]), [1, 2, 3]);
    }

    #[test]
    fn a_profile_for_other_channels_is_ignored() {
        let profile = ColorProfile::new_display_p3().encode().unwrap_or_default();
        let converter = Converter::new(Channels::Gray, Some(&profile));
        assert_eq!(converter.srgb(vec![9]), [9, 9, 9]);
    }

    #[test]
    fn display_p3_red_is_clipped_to_srgb_red() {
        let profile = ColorProfile::new_display_p3().encode().unwrap_or_default();
        let converter = Converter::new(Channels::Rgb, Some(&profile));
        assert_eq!(converter.srgb(vec![255, 0, 0]), [255, 0, 0]);
        let skin = converter.srgb(vec![200, 150, 120]);
        assert!(skin[0] > 200 && skin[2] < 120, "{skin:?}");
    }

    #[test]
    fn ink_darkens() {
        let converter = Converter::new(Channels::InvertedCmyk, None);
        assert_eq!(
            converter.srgb(vec![255, 255, 255, 255, 0, 255, 255, 128]),
            [255, 255, 255, 0, 128, 128]
        );
    }
}
