//! Any bytes where packed local features should be: as many features as the head says, or a bad request; never a panic.
#![no_main]

use arthur_core::Error;
use arthur_core::local::Packed;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // as they are, and behind a right head, so that the arrays are reached too
    let mut headed = b"ALF1".to_vec();
    headed.extend(data.iter().take(4));
    headed.extend((data.len().saturating_sub(4) as u16 / 16).to_le_bytes());
    headed.extend([0; 6]);
    headed.extend(data.iter().skip(4).take(data.len().saturating_sub(4) / 16 * 16));
    for bytes in [data, &headed] {
        match Packed::parse(bytes) {
            Ok(packed) => assert_eq!(packed.features().count(), packed.len()),
            Err(Error::BadRequest(said)) => assert!(!said.is_empty()),
            Err(other) => panic!("not a bad request: {other}"),
        }
    }
});
