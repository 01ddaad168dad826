//! The proximity graph of a segment: a `USearch` file, built once and then only viewed.
//!
//! What `USearch` leaves open is closed here. Nothing is added to a graph that is being searched, nothing is ever removed
//! from one, no predicate of ours is called by it, and never do more threads enter it than it has contexts for.

use std::ops::Range;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use bytemuck::cast_slice;
use half::f16;
use usearch::{Index, IndexOptions, MetricKind, ScalarKind};

use super::arrange::{ROWS_AT, is_arranged};
use super::folder::name_of;
use super::memory::Mapped;
use super::plan::{Plan, scattering_stride};
use crate::{Error, Result};

/// Searches that may run at once; more wait, since they would only share the same cores.
const CONTEXTS: usize = 32;
/// Candidates with which a node first looks for itself after a build, and with which it is given up.
const SELF_CHECK: [usize; 2] = [8, 256];

/// A graph over f16 rows whose keys are node numbers.
pub(crate) struct Graph {
    index: Index,
    /// What a viewed graph lies in; it is let go after the graph.
    file: Option<Mapped>,
    /// Where the rows lie in the file.
    rows: Range<usize>,
    entered: Mutex<usize>,
    left: Condvar,
}

impl Graph {
    /// Build a graph of `rows`, whose positions are the nodes.
    ///
    /// Nodes go in in a scattered order: rows lie by artist, and a graph grown cluster by cluster links them poorly.
    pub(crate) fn build(plan: &Plan<'_>, rows: &[&[f16]]) -> Result<Self> {
        let index = new_index(plan.dim)?;
        index
            .reserve_capacity_and_threads(rows.len(), plan.threads.max(CONTEXTS))
            .map_err(failed)?;
        let stride = scattering_stride(rows.len());
        plan.for_each(rows.len(), &|position| {
            let node = (position * stride) % rows.len();
            index
                .add(node as u64, as_usearch(rows[node]))
                .map_err(failed)
        })?;
        Ok(Self::new(index))
    }

    /// Nodes that do not find themselves.
    pub(crate) fn unreachable(&self, plan: &Plan<'_>, rows: &[&[f16]]) -> Result<Vec<u32>> {
        let missed = Mutex::new(Vec::new());
        plan.for_each(rows.len(), &|node| {
            for wanted in SELF_CHECK {
                if self.search(rows[node], wanted)?.contains(&(node as u32)) {
                    return Ok(());
                }
            }
            missed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(node as u32);
            Ok(())
        })?;
        let mut missed = missed.into_inner().unwrap_or_else(PoisonError::into_inner);
        missed.sort_unstable();
        Ok(missed)
    }

    /// Write the file; the caller makes it durable and verifies it.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        self.index.save(text(path)?).map_err(failed)?;
        let written = path.metadata().map_or(0, |file| file.len());
        // USearch answers OK when the disk is full at the last bytes
        if written == self.index.serialized_length() as u64 {
            return Ok(());
        }
        Err(Error::Store(format!(
            "index file {} was cut short: the disk may be full",
            name_of(path)
        )))
    }

    /// Map a file whose hash has been verified.
    pub(crate) fn view(path: &Path, dim: usize, nodes: usize) -> Result<Self> {
        let file = Mapped::open(path)?;
        let head = Index::metadata_from_buffer(file.bytes()).map_err(failed)?;
        let fits = head.dimensions == dim as u64
            && head.quantization == ScalarKind::F16
            && head.metric == MetricKind::IP
            && head.count_present == nodes as u64
            && is_arranged(file.bytes(), nodes, dim * size_of::<f16>());
        if !fits {
            return Err(Error::Store(format!(
                "index file {} is a graph of another shape",
                name_of(path)
            )));
        }
        let index = new_index(dim)?;
        // contexts are set before the view: changing them afterwards, while searching, is not safe
        index
            .reserve_capacity_and_threads(1, CONTEXTS)
            .map_err(failed)?;
        view_within(&index, &file)?;
        let rows = ROWS_AT..ROWS_AT + nodes * dim * size_of::<f16>();
        Ok(Self {
            file: Some(file),
            rows,
            ..Self::new(index)
        })
    }

    /// The rows of a viewed graph, by node.
    pub(crate) fn rows(&self) -> &[u8] {
        let bytes = self.file.as_ref().map(Mapped::bytes);
        bytes
            .and_then(|bytes| bytes.get(self.rows.clone()))
            .unwrap_or(&[])
    }

    fn new(index: Index) -> Self {
        // the number of candidates asked for is the width of the search, so that each search has its own
        index.change_expansion_search(1);
        Self {
            index,
            file: None,
            rows: 0..0,
            entered: Mutex::new(0),
            left: Condvar::new(),
        }
    }

    /// The nodes nearest to a row, best first, found by a search that keeps `wanted` candidates.
    pub(crate) fn search(&self, row: &[f16], wanted: usize) -> Result<Vec<u32>> {
        let entered = self.entered.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entered = self
            .left
            .wait_while(entered, |entered| *entered >= CONTEXTS)
            .unwrap_or_else(PoisonError::into_inner);
        *entered += 1;
        drop(entered);
        let found = self.index.search(as_usearch(row), wanted);
        *self.entered.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.left.notify_one();
        Ok(found
            .map_err(failed)?
            .keys
            .into_iter()
            .map(|node| node as u32)
            .collect())
    }

    /// Bytes of memory of this process, beside the mapped file.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.index.memory_usage()
    }
}

fn new_index(dim: usize) -> Result<Index> {
    let options = IndexOptions {
        dimensions: dim,
        metric: MetricKind::IP,
        quantization: ScalarKind::F16,
        connectivity: 16,
        expansion_add: 128,
        expansion_search: 1,
        multi: false,
    };
    Index::new(&options).map_err(failed)
}

/// Let the index read its nodes where they lie in the file.
#[allow(unsafe_code)]
fn view_within(index: &Index, file: &Mapped) -> Result<()> {
    // SAFETY: the graph that takes both lets the file go after the index, and the bytes do not move with it.
    unsafe { index.view_from_buffer(file.bytes()) }.map_err(failed)
}

fn as_usearch(row: &[f16]) -> &[usearch::f16] {
    usearch::f16::from_i16s(cast_slice(row))
}

fn text(path: &Path) -> Result<&str> {
    path.to_str()
        .ok_or_else(|| Error::Store("the folder of the index must have a name in UTF-8".to_owned()))
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Store(format!("USearch: {error}"))
}

#[cfg(test)]
mod tests;
