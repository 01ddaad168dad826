//! The folder of an index: names, durable writes, generations, and whose turn it is to write.
//!
//! ```text
//! owner.lock                        flock of the one process that writes
//! manifest-0000000000000007.json    the newest generation, and the one before it
//! removed-0000000000000007.bin      keys removed up to that generation
//! segment-0000000000000005.table    and further files of a segment, shared by the generations that name it
//! ```

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use roaring::RoaringTreemap;

use super::manifest::{FileMark, MAX_BYTES, Manifest, SegmentMark};
use crate::{Error, Result};

/// Generations whose files are kept.
pub(crate) const KEPT: usize = 2;

/// The last part of a path, for messages.
pub(crate) fn name_of(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn failed(path: &Path, doing: &str, error: &io::Error) -> Error {
    Error::Store(format!(
        "index file {} cannot be {doing}: {error}",
        name_of(path)
    ))
}

/// Path of one file of a segment.
pub(crate) fn segment_path(folder: &Path, id: u64, kind: &str) -> PathBuf {
    folder.join(format!("segment-{id:016}.{kind}"))
}

/// Path of a file of a segment, if the manifest names it: then its hash has been verified.
pub(crate) fn named_path(folder: &Path, mark: &SegmentMark, kind: &str) -> Result<PathBuf> {
    if mark.files.contains_key(kind) {
        return Ok(segment_path(folder, mark.id, kind));
    }
    Err(Error::Store(format!(
        "segment {} of the index has no {kind} file",
        mark.id
    )))
}

/// An index folder that exists.
pub(crate) struct Folder {
    path: PathBuf,
}

/// Holding this is being the owner; the lock ends with the value or with the process.
pub(crate) struct Ownership {
    _lock: File,
}

impl Folder {
    /// Make the folder if it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).map_err(|error| failed(path, "made", &error))?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Become the owner, unless another process is.
    pub(crate) fn own(&self) -> Result<Option<Ownership>> {
        let path = self.path.join("owner.lock");
        let options = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let lock = options.map_err(|error| failed(&path, "opened", &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Ownership { _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(&path, "locked", &error)),
        }
    }

    /// Generations that have a manifest, newest first.
    pub(crate) fn generations(&self) -> Result<Vec<u64>> {
        let mut found: Vec<u64> = self
            .names()?
            .iter()
            .filter_map(|name| match numbered(name)? {
                ("manifest", number, "json") => Some(number),
                _ => None,
            })
            .collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        Ok(found)
    }

    /// Highest number that any file of the folder carries.
    pub(crate) fn highest_number(&self) -> Result<u64> {
        let names = self.names()?;
        let numbers = names.iter().filter_map(|name| Some(numbered(name)?.1));
        Ok(numbers.max().unwrap_or(0))
    }

    /// Read a manifest.
    pub(crate) fn manifest(&self, generation: u64) -> Result<Manifest> {
        let path = self.manifest_path(generation);
        let length = path
            .metadata()
            .map_err(|error| failed(&path, "read", &error))?
            .len();
        if length > MAX_BYTES as u64 {
            return Err(Error::Store("its manifest is too long".to_owned()));
        }
        let bytes = fs::read(&path).map_err(|error| failed(&path, "read", &error))?;
        Manifest::parse(&bytes).map_err(|reason| Error::Store(format!("its manifest {reason}")))
    }

    /// Make a generation the newest: once this returned it survives power loss. Only for the owner.
    pub(crate) fn publish(&self, manifest: &Manifest) -> Result<()> {
        let bytes = manifest.to_bytes().map_err(Error::Store)?;
        write_durably(&self.manifest_path(manifest.generation), |out| {
            out.write_all(&bytes)
        })?;
        Ok(())
    }

    /// Write the removed keys of a generation.
    pub(crate) fn write_removed(
        &self,
        generation: u64,
        removed: &RoaringTreemap,
    ) -> Result<FileMark> {
        write_durably(&self.removed_path(generation), |out| {
            removed.serialize_into(out)
        })
    }

    /// Read the removed keys of a generation after their hash was verified.
    pub(crate) fn read_removed(&self, manifest: &Manifest) -> Result<RoaringTreemap> {
        let path = self.removed_path(manifest.generation);
        verify(&path, &manifest.removed)?;
        let bytes = fs::read(&path).map_err(|error| failed(&path, "read", &error))?;
        RoaringTreemap::deserialize_from(&bytes[..]).map_err(|error| failed(&path, "read", &error))
    }

    /// Delete what no kept generation names; files that are mapped live on until they are let go. Only for the owner.
    pub(crate) fn sweep(&self) -> Result<()> {
        let kept: Vec<u64> = self.generations()?.into_iter().take(KEPT).collect();
        let mut segments = Vec::new();
        for &generation in &kept {
            if let Ok(manifest) = self.manifest(generation) {
                segments.extend(manifest.segments.iter().map(|segment| segment.id));
            }
        }
        for name in self.names()? {
            let leftover = match numbered(&name) {
                Some((_, _, ending)) if ending.ends_with("tmp") => true,
                Some(("segment", id, _)) => !segments.contains(&id),
                Some(("manifest" | "removed", number, _)) => !kept.contains(&number),
                _ => false,
            };
            if leftover {
                let path = self.path.join(&name);
                fs::remove_file(&path).map_err(|error| failed(&path, "deleted", &error))?;
            }
        }
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>> {
        let listed = fs::read_dir(&self.path).and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect()
        });
        listed.map_err(|error| failed(&self.path, "listed", &error))
    }

    fn manifest_path(&self, generation: u64) -> PathBuf {
        self.path.join(format!("manifest-{generation:016}.json"))
    }

    fn removed_path(&self, generation: u64) -> PathBuf {
        self.path.join(format!("removed-{generation:016}.bin"))
    }
}

/// The parts of a name like `segment-0000000000000005.rows`.
fn numbered(name: &str) -> Option<(&str, u64, &str)> {
    let (stem, ending) = name.split_once('.')?;
    let (what, number) = stem.split_once('-')?;
    Some((what, number.parse().ok()?, ending))
}

/// Write a file under a temporary name, make it durable and give it its name.
pub(crate) fn write_durably(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<FileMark> {
    let temporary = path.with_added_extension("tmp");
    let written = || {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&temporary)?);
        write(&mut out)?;
        out.flush()
    };
    written().map_err(|error| failed(path, "written", &error))?;
    settle(path)
}

/// Make the temporary file of `path` durable, hash it and give it its name.
pub(crate) fn settle(path: &Path) -> Result<FileMark> {
    let temporary = path.with_added_extension("tmp");
    let settled = || {
        let file = File::open(&temporary)?;
        file.sync_all()?;
        let mark = FileMark {
            bytes: file.metadata()?.len(),
            blake3: hash(&temporary)?,
        };
        fs::rename(&temporary, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(mark)
    };
    settled().map_err(|error: io::Error| failed(path, "written", &error))
}

/// Refuse a segment with a file that is not the one its mark was taken of.
pub(crate) fn verify_segment(folder: &Path, mark: &SegmentMark) -> Result<()> {
    let mut files = mark.files.iter();
    files.try_for_each(|(kind, file)| verify(&segment_path(folder, mark.id, kind), file))
}

fn verify(path: &Path, mark: &FileMark) -> Result<()> {
    let bytes = path
        .metadata()
        .map_err(|error| failed(path, "read", &error))?
        .len();
    if bytes != mark.bytes {
        return Err(Error::Store(format!(
            "index file {} has {bytes} bytes, not {}",
            name_of(path),
            mark.bytes
        )));
    }
    if hash(path).map_err(|error| failed(path, "read", &error))? != mark.blake3 {
        return Err(Error::Store(format!(
            "index file {} is damaged",
            name_of(path)
        )));
    }
    Ok(())
}

fn hash(path: &Path) -> io::Result<String> {
    Ok(blake3::Hasher::new()
        .update_mmap_rayon(path)?
        .finalize()
        .to_hex()
        .to_string())
}
