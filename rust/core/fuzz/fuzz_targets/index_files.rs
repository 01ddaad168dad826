//! Any table of the vector index: it is used or passed over, and what is used answers and is written again, all without
//! a panic.
#![no_main]

use std::path::Path;

use arthur_core::index::{Artists, Index, Options};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

mod forged;

const MAGIC: u64 = u64::from_le_bytes(*b"ARTABLE2");
const DIM: usize = 2;

fuzz_target!(|data: &[u8]| {
    let folder = forged::emptied("index-files");
    if write(&folder, &mut Unstructured::new(data)).is_ok() {
        visit(&folder);
    }
});

/// Write a folder that the bytes describe.
fn write(folder: &Path, input: &mut Unstructured<'_>) -> Result<()> {
    let mut count = |most: usize| input.int_in_range(0..=most);
    let [nodes, entries, artists, unreachable] = [count(8)?, count(12)?, count(6)?, count(3)?];
    let [dim, nodes_said, entries_said, artists_said, unreachable_said] =
        [DIM, nodes, entries, artists, unreachable].map(|count| count as u64);
    let head = [MAGIC, dim, nodes_said, entries_said, artists_said, unreachable_said, 0, 0];
    let sections =
        [(entries, 8), (entries, 4), (nodes + 1, 4), (entries, 4), (artists, 8), (artists + 1, 4), (unreachable, 4)];
    let table = forged::file(input, head, &sections)?;
    let removed = forged::removed(input)?;
    let mut rows = input.bytes(input.len().min(nodes * DIM * 2))?.to_vec();
    rows.resize(nodes * DIM * 2, 0);
    forged::publish(folder, "2 values by cosine", &[("table", &table), ("rows", &rows)], removed);
    Ok(())
}

/// Call all that reads a segment.
fn visit(folder: &Path) {
    let fingerprint = forged::FINGERPRINT.to_owned();
    let options = Options { dim: DIM, fingerprint, tail_rows: 100, build_threads: 1 };
    let Some(index) = forged::settled(Index::open(folder, options)) else { return };
    let some = Artists::new(vec![0, 2, 3, 5]);
    for filter in [None, Some(&some)] {
        forged::settled(index.search(&[1.0, 0.0], 10, filter));
    }
    forged::settled(index.remove(&[0, 1]));
    forged::settled(index.put(&[20, 21], &[1.0, 0.0, 0.0, 1.0], &[2, 3]));
    assert!(forged::settled(index.checkpoint()).is_some(), "what was opened can be written");
    forged::settled(index.search(&[1.0, 0.0], 1000, None));
}
