//! Files seen as memory.
#![allow(unsafe_code)]

use std::fs::File;
use std::path::Path;

use memmap2::Mmap;

use super::folder::name_of;
use crate::{Error, Result};

/// A file of the index, mapped for reading.
///
/// Files of the index are written once under a temporary name, renamed, and afterwards only ever unlinked.
pub(crate) struct Mapped(Mmap);

impl Mapped {
    /// Map the whole of `path`.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let failed = |error| {
            Error::Store(format!(
                "index file {} cannot be read: {error}",
                name_of(path)
            ))
        };
        let file = File::open(path).map_err(failed)?;
        // SAFETY: no part of Arthur writes to or truncates a file of the index after its rename, so the bytes
        // below the slice do not change. Whoever truncates files by hand gets SIGBUS, as with any mapped file.
        let map = unsafe { Mmap::map(&file) }.map_err(failed)?;
        Ok(Self(map))
    }

    /// The bytes; the start is aligned to a page.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
