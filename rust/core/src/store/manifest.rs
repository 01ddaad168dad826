//! The manifest: one small file that says which files make up a generation of the index, and what they must contain.
//!
//! The first line is the BLAKE3 of all that follows, which is JSON. A manifest that parses is one that was written
//! whole; whether it fits this index and its files is for the folder to check.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Raised whenever files written before could not be read any more.
pub const FORMAT: u32 = 2;
/// Longest manifest that is looked at, bytes.
pub const MAX_BYTES: usize = 1 << 20;

const HASH_CHARS: usize = 2 * blake3::OUT_LEN;

/// Size and BLAKE3 (hex) of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileMark {
    /// Size of the file.
    pub bytes: u64,
    /// BLAKE3 of the file in lower-case hexadecimal.
    pub blake3: String,
}

/// One segment; the names of its files follow from its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentMark {
    /// Number by which its files are named.
    pub id: u64,
    /// Views, removed ones included.
    pub entries: u64,
    /// Its files, by the ending of their names.
    pub files: BTreeMap<String, FileMark>,
}

impl SegmentMark {
    /// Size of all its files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.values().map(|file| file.bytes).sum()
    }
}

/// One generation of the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Format of all files.
    pub format: u32,
    /// Raised with every manifest of a folder.
    pub generation: u64,
    /// The segments and removals hold all changes of the catalog up to this one.
    pub sequence: u64,
    /// Engine that made the rows.
    pub fingerprint: String,
    /// What a row is.
    pub contents: String,
    /// Oldest first.
    pub segments: Vec<SegmentMark>,
    /// Keys that must not be found again, as a roaring treemap.
    pub removed: FileMark,
}

impl Manifest {
    /// The bytes of the file.
    ///
    /// # Errors
    /// Says why when the manifest cannot be written as JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let body = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        Ok([blake3::hash(&body).to_hex().as_bytes(), b"\n", &body].concat())
    }

    /// Read the bytes of a file.
    ///
    /// # Errors
    /// Says in a few words why the bytes are not a manifest of this format.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_BYTES {
            return Err("is too long".to_owned());
        }
        let (head, rest) = bytes.split_at_checked(HASH_CHARS).ok_or("is cut short")?;
        let body = rest.strip_prefix(b"\n").ok_or("is damaged")?;
        if blake3::hash(body).to_hex().as_bytes() != head {
            return Err("is damaged".to_owned());
        }
        let manifest: Self =
            serde_json::from_slice(body).map_err(|_| "is of another format".to_owned())?;
        let mut kinds = manifest.segments.iter().flat_map(|mark| mark.files.keys());
        // an ending becomes part of a path
        let named = kinds.all(|kind| kind.bytes().all(|letter| letter.is_ascii_lowercase()));
        if manifest.format != FORMAT || !named {
            return Err("is of another format".to_owned());
        }
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sound() -> Manifest {
        Manifest {
            format: FORMAT,
            generation: 1,
            sequence: 1,
            fingerprint: "engine".to_owned(),
            contents: "rows".to_owned(),
            segments: Vec::new(),
            removed: FileMark {
                bytes: 0,
                blake3: String::new(),
            },
        }
    }

    fn file() -> impl Strategy<Value = FileMark> {
        (any::<u64>(), "[0-9a-f]{64}").prop_map(|(bytes, blake3)| FileMark { bytes, blake3 })
    }

    fn segment() -> impl Strategy<Value = SegmentMark> {
        let files = prop::collection::btree_map("[a-z]{1,6}", file(), 0..4);
        (any::<[u64; 2]>(), files).prop_map(|([id, entries], files)| SegmentMark {
            id,
            entries,
            files,
        })
    }

    fn manifest() -> impl Strategy<Value = Manifest> {
        let parts = (
            any::<[u64; 2]>(),
            any::<[String; 2]>(),
            prop::collection::vec(segment(), 0..5),
            file(),
        );
        parts.prop_map(
            |([generation, sequence], [fingerprint, contents], segments, removed)| Manifest {
                format: FORMAT,
                generation,
                sequence,
                fingerprint,
                contents,
                segments,
                removed,
            },
        )
    }

    #[test]
    fn an_ending_that_leads_elsewhere_is_refused() {
        let mut manifest = sound();
        assert!(Manifest::parse(&manifest.to_bytes().expect("written")).is_ok());
        let mark = manifest.removed.clone();
        let files = BTreeMap::from([("rows/../../elsewhere".to_owned(), mark)]);
        manifest.segments.push(SegmentMark {
            id: 1,
            entries: 1,
            files,
        });
        assert!(Manifest::parse(&manifest.to_bytes().expect("written")).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(manifest in manifest()) {
            let bytes = manifest.to_bytes().expect("written");
            prop_assert_eq!(Manifest::parse(&bytes), Ok(manifest));
        }

        #[test]
        fn a_changed_byte_is_noticed(manifest in manifest(), at in any::<prop::sample::Index>(), flip in 1u8..) {
            let mut bytes = manifest.to_bytes().expect("written");
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert!(Manifest::parse(&bytes).is_err());
        }

        #[test]
        fn a_cut_is_noticed(manifest in manifest(), at in any::<prop::sample::Index>()) {
            let bytes = manifest.to_bytes().expect("written");
            prop_assert!(Manifest::parse(&bytes[..at.index(bytes.len())]).is_err());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Manifest::parse(&bytes).is_err());
        }
    }
}
