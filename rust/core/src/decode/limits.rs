//! What a picture may cost, checked on its header before anything is allocated.

use super::geometry::Size;
use crate::{Error, Result};

/// Largest accepted picture.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of the encoded picture, bytes.
    pub max_bytes: usize,
    /// Width times height, pixels.
    pub max_pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 25 << 20,
            max_pixels: 100_000_000,
        }
    }
}

impl Limits {
    /// Scans of a progressive JPEG; encoders write about ten, and each costs a pass over the whole picture.
    pub(super) const SCANS: u32 = 64;
    /// Longest embedded colour profile that is read, bytes; those of printing presses reach two million.
    pub(super) const PROFILE: usize = 4 << 20;
    /// Largest buffer a picture may need while it is decoded, bytes.
    pub(super) const BUFFER: u64 = 512 << 20;

    /// Hold the length of the encoded picture against the limit.
    pub(super) fn check_bytes(&self, bytes: usize) -> Result<()> {
        if bytes > self.max_bytes {
            let most = self.max_bytes;
            return Err(Error::ImageTooLarge(format!(
                "the picture has {bytes} bytes, more than the {most} allowed"
            )));
        }
        Ok(())
    }

    /// Hold the dimensions against the limit.
    pub(super) fn check_size(&self, size: Size) -> Result<()> {
        let Size { width, height } = size;
        if width == 0 || height == 0 {
            return Err(Error::InvalidImage(format!(
                "the picture is empty: {width} x {height} pixels"
            )));
        }
        if size.pixels() > self.max_pixels {
            let most = self.max_pixels;
            let message =
                format!("the picture has {width} x {height} pixels, more than the {most} allowed");
            return Err(Error::ImageTooLarge(message));
        }
        Ok(())
    }

    /// Hold what a decoder will need at once against the limit.
    pub(super) fn check_buffer(bytes: u64) -> Result<()> {
        if bytes > Self::BUFFER {
            let (needs, most) = (bytes >> 20, Self::BUFFER >> 20);
            let message =
                format!("decoding the picture takes {needs} MiB, more than the {most} allowed");
            return Err(Error::ImageTooLarge(message));
        }
        Ok(())
    }
}
