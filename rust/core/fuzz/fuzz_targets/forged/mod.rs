//! Folders of an index whose files say anything, named with the right hashes by a sound manifest.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arthur_core::Error;
use arthur_core::store::manifest::{FORMAT, FileMark, Manifest, SegmentMark};
use libfuzzer_sys::arbitrary::{Result, Unstructured};

/// What the manifest says of the engine.
pub const FINGERPRINT: &str = "engine";

/// A folder of this process with nothing in it.
pub fn emptied(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Write one generation of one segment with these files.
pub fn publish(folder: &Path, contents: &str, files: &[(&str, &[u8])], removed: &[u8]) {
    let mut marks = BTreeMap::new();
    for (kind, bytes) in files {
        fs::write(folder.join(format!("segment-{:016}.{kind}", 1)), bytes).expect("written");
        marks.insert((*kind).to_owned(), mark(bytes));
    }
    fs::write(folder.join(format!("removed-{:016}.bin", 2)), removed).expect("written");
    let manifest = Manifest {
        format: FORMAT,
        generation: 2,
        sequence: 1,
        fingerprint: FINGERPRINT.to_owned(),
        contents: contents.to_owned(),
        segments: vec![SegmentMark { id: 1, entries: 1, files: marks }],
        removed: mark(removed),
    };
    let bytes = manifest.to_bytes().expect("written");
    fs::write(folder.join(format!("manifest-{:016}.json", 2)), bytes).expect("written");
}

fn mark(bytes: &[u8]) -> FileMark {
    FileMark { bytes: bytes.len() as u64, blake3: blake3::hash(bytes).to_string() }
}

/// The removed keys: mostly none.
pub fn removed<'a>(input: &mut Unstructured<'a>) -> Result<&'a [u8]> {
    if input.ratio(7, 8)? { Ok(&[0; 8]) } else { input.arbitrary() }
}

/// A file of a head and sections of so many numbers of so many bytes, and then some bytes of it changed.
pub fn file(input: &mut Unstructured<'_>, head: [u64; 8], sections: &[(usize, usize)]) -> Result<Vec<u8>> {
    let mut file: Vec<u8> = head.iter().flat_map(|number| number.to_le_bytes()).collect();
    for &(count, bytes) in sections {
        for _ in 0..count {
            file.extend(&number(input)?.to_le_bytes()[..bytes]);
        }
        file.resize(file.len().next_multiple_of(64), 0);
    }
    damage(input, &mut file)?;
    Ok(file)
}

/// Nearly always a small number, so that it may point to something.
fn number(input: &mut Unstructured<'_>) -> Result<u64> {
    Ok(match input.arbitrary::<u8>()? {
        small @ ..240 => u64::from(small) % 12,
        240..248 => input.arbitrary()?,
        large => u64::MAX - u64::from(large % 4),
    })
}

/// Change up to seven bytes.
pub fn damage(input: &mut Unstructured<'_>, file: &mut [u8]) -> Result<()> {
    for _ in 0..input.int_in_range(0..=7)? {
        file[input.choose_index(file.len())?] = input.arbitrary()?;
    }
    Ok(())
}

/// What a call on a forged index may come to: an answer, or an error of the files.
pub fn settled<T>(outcome: arthur_core::Result<T>) -> Option<T> {
    match outcome {
        Ok(answer) => Some(answer),
        Err(Error::Store(said)) if !said.is_empty() && !said.contains("panicked") => None,
        Err(other) => panic!("not an error of the files: {other}"),
    }
}
