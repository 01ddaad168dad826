//! Any bytes: a whole picture or one of our errors, within the limits, and no panic that had to be caught.
#![no_main]

use arthur_core::Error;
use arthur_core::decode::{Fit, Limits, Request, decode};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { max_bytes: 1 << 20, max_pixels: 1 << 20 };

fuzz_target!(|data: &[u8]| {
    let Some((&choice, picture)) = data.split_last() else { return };
    let fit = if choice & 1 == 0 { Fit::Crop } else { Fit::Stretch };
    let preview_side = if choice & 2 == 0 { 0 } else { 64 };
    let request = Request { side: 32, fit, preview_side, preview_gray: choice & 4 == 0 };
    match decode(picture, &request, &LIMITS) {
        Ok(decoded) => {
            assert_eq!(decoded.pixels.len(), 32 * 32 * 3);
            assert_eq!(decoded.preview.is_some(), preview_side > 0);
            assert!(decoded.size.pixels() <= LIMITS.max_pixels);
        }
        Err(Error::InvalidImage(said) | Error::ImageTooLarge(said) | Error::UnsupportedImage(said)) => {
            assert!(!said.is_empty());
        }
        Err(other) => panic!("not an error of a picture: {other}"),
    }
});
