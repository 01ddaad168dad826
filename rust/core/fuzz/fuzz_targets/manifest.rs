//! Any bytes where a manifest should be: an error or a manifest, never a panic, and a manifest is written back alike.
#![no_main]

use arthur_core::store::manifest::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    // as it is, and behind the right hash, so that the JSON is reached too
    let sealed = [blake3::hash(body).to_hex().as_bytes(), b"\n", body].concat();
    for bytes in [body, &sealed] {
        if let Ok(manifest) = Manifest::parse(bytes) {
            let again = manifest.to_bytes().and_then(|written| Manifest::parse(&written));
            assert_eq!(again, Ok(manifest));
        }
    }
});
