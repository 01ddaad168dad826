//! Any table and postings of the local index: they are used or passed over, and what is used answers and is written
//! again, all without a panic.
#![no_main]

use std::path::Path;

use arthur_core::local::{Arrays, LocalIndex, Options, Query};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

mod forged;

const MAGIC: u64 = u64::from_le_bytes(*b"ARWORDS1");
/// One feature, packed: word 3.
const VIEW: &[u8] = b"ALF1\x40\0\x40\0\x01\0\0\0\0\0\0\0\x01\x02\x03\x04\x40\0\x03\0\0\0\0\0\0\0\0\0";

fuzz_target!(|data: &[u8]| {
    let folder = forged::emptied("local-files");
    if write(&folder, &mut Unstructured::new(data)).is_ok() {
        visit(&folder);
    }
});

/// Write a folder that the bytes describe.
fn write(folder: &Path, input: &mut Unstructured<'_>) -> Result<()> {
    let mut count = |most: usize| input.int_in_range(0..=most);
    let [views, words, postings] = [count(8)?, count(6)?, count(12)?];
    let head = [MAGIC, views as u64, words as u64, postings as u64, 0, 0, 0, 0];
    let table = forged::file(input, head, &[(views, 8), (views, 8), (words + 1, 8), (views, 2), (words, 2)])?;
    let mut spots = Vec::new();
    for _ in 0..postings {
        let slot = if input.ratio(7, 8)? { u32::from(input.arbitrary::<u8>()? % 8) } else { input.arbitrary()? };
        spots.extend([slot, input.arbitrary()?].map(u32::to_le_bytes).concat());
    }
    let removed = forged::removed(input)?;
    let mut signatures = input.bytes(input.len().min(8 * postings))?.to_vec();
    signatures.resize(8 * postings, 0);
    let files = [("table", &table[..]), ("signatures", &signatures), ("spots", &spots)];
    forged::publish(folder, "local features by word", &files, removed);
    Ok(())
}

/// Call all that reads a segment.
fn visit(folder: &Path) {
    let options = Options { fingerprint: forged::FINGERPRINT.to_owned(), tail_rows: 100, threshold: 32 };
    let Some(index) = forged::settled(LocalIndex::open(folder, options)) else { return };
    let arrays = Arrays {
        words: &[0, 1, 2, 3, 4, 5, 6, 7],
        signatures: &[0; 8],
        points: &[1.0, 2.0, 3.0, 4.0],
        scales: &[4.0, 8.0],
        angles: &[0.5, 1.5],
    };
    let photo = Query::new(arrays, 4).expect("sound");
    forged::settled(index.search(&photo, 10, None));
    forged::settled(index.remove(&[0, 1]));
    forged::settled(index.put(&[20, 21], &[VIEW, VIEW], &[2, 3]));
    assert!(forged::settled(index.checkpoint()).is_some(), "what was opened can be written");
    forged::settled(index.search(&photo, 1000, None));
}
