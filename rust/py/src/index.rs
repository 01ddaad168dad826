//! `arthur._native.Index`: arrays in, arrays out, the GIL released around all work.

use std::path::PathBuf;

use arthur_core::index::{Artists, Index, Options};
use arthur_core::store::Statistics;
use arthur_core::{Error, Result};
use numpy::{
    PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::to_python;

/// Rows of an answer, as keys and scores.
type Found<'py> = (Bound<'py, PyArray2<i64>>, Bound<'py, PyArray2<f32>>);

/// See `arthur._native.Index` in the stub.
#[pyclass(frozen, name = "Index", module = "arthur._native")]
pub(crate) struct NativeIndex {
    index: Index,
    dim: usize,
}

pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    py.detach(work).map_err(|error| to_python(py, &error))
}

pub(crate) fn keys_of(keys: &PyReadonlyArray1<'_, i64>) -> Result<Vec<u64>> {
    let keys = keys
        .as_array()
        .iter()
        .map(|&key| u64::try_from(key))
        .collect::<std::result::Result<_, _>>();
    keys.map_err(|_| Error::BadRequest("keys must not be negative".to_owned()))
}

/// The sizes and states that every index has.
pub(crate) fn store_stats<'py>(
    py: Python<'py>,
    statistics: &Statistics,
) -> PyResult<Bound<'py, PyDict>> {
    let counts = [
        ("keys", statistics.keys),
        ("removed", statistics.removed),
        ("sequence", statistics.sequence),
        ("sealed_sequence", statistics.sealed_sequence),
        ("generation", statistics.generation),
        ("segments", statistics.segments),
        ("sealed_entries", statistics.sealed_entries),
        ("tail_rows", statistics.tail_rows),
        ("file_bytes", statistics.file_bytes),
    ];
    let stats = PyDict::new(py);
    counts
        .iter()
        .try_for_each(|(name, count)| stats.set_item(name, count))?;
    stats.set_item("owner", statistics.owner)?;
    Ok(stats)
}

impl NativeIndex {
    fn rows_of(&self, rows: &PyReadonlyArray2<'_, f32>) -> Result<Vec<f32>> {
        if rows.shape()[1] == self.dim {
            return Ok(rows.as_array().iter().copied().collect());
        }
        Err(Error::BadRequest(format!(
            "vectors must have {} values, not {}",
            self.dim,
            rows.shape()[1]
        )))
    }
}

#[pymethods]
#[expect(
    clippy::needless_pass_by_value,
    reason = "PyO3 extracts arguments by value"
)]
impl NativeIndex {
    #[new]
    #[pyo3(signature = (path, *, dim, fingerprint, tail_rows, build_threads))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        dim: usize,
        fingerprint: String,
        tail_rows: usize,
        build_threads: usize,
    ) -> PyResult<Self> {
        let options = Options {
            dim,
            fingerprint,
            tail_rows,
            build_threads,
        };
        let index = detached(py, || Index::open(&path, options))?;
        Ok(Self { index, dim })
    }

    #[getter]
    fn sequence(&self) -> u64 {
        self.index.sequence()
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        py.detach(|| self.index.len() as usize)
    }

    fn put(
        &self,
        py: Python<'_>,
        keys: PyReadonlyArray1<'_, i64>,
        vectors: PyReadonlyArray2<'_, f32>,
        artists: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<()> {
        let copied = || {
            Ok((
                keys_of(&keys)?,
                self.rows_of(&vectors)?,
                artists.as_array().to_vec(),
            ))
        };
        let (keys, rows, artists) = copied().map_err(|error| to_python(py, &error))?;
        detached(py, || self.index.put(&keys, &rows, &artists))
    }

    fn remove(&self, py: Python<'_>, keys: PyReadonlyArray1<'_, i64>) -> PyResult<u64> {
        let keys: Vec<u64> = keys
            .as_array()
            .iter()
            .filter_map(|&key| u64::try_from(key).ok())
            .collect();
        detached(py, || self.index.remove(&keys))
    }

    fn advance(&self, sequence: u64) {
        self.index.advance(sequence);
    }

    #[pyo3(signature = (vectors, k, artists=None))]
    fn search<'py>(
        &self,
        py: Python<'py>,
        vectors: PyReadonlyArray2<'py, f32>,
        k: usize,
        artists: Option<PyReadonlyArray1<'py, i64>>,
    ) -> PyResult<Found<'py>> {
        let rows = self
            .rows_of(&vectors)
            .map_err(|error| to_python(py, &error))?;
        let artists = artists.map(|numbers| numbers.as_array().to_vec());
        let (keys, scores) = detached(py, || {
            let hits = self
                .index
                .search(&rows, k, artists.map(Artists::new).as_ref())?;
            let (mut keys, mut scores) = (
                vec![-1; hits.len() * k],
                vec![f32::NEG_INFINITY; hits.len() * k],
            );
            for (row, hits) in hits.iter().enumerate() {
                for (column, hit) in hits.iter().enumerate() {
                    keys[row * k + column] = hit.key.cast_signed();
                    scores[row * k + column] = hit.score;
                }
            }
            Ok((keys, scores))
        })?;
        let shape = [vectors.shape()[0], k];
        Ok((
            PyArray1::from_vec(py, keys).reshape(shape)?,
            PyArray1::from_vec(py, scores).reshape(shape)?,
        ))
    }

    fn checkpoint(&self, py: Python<'_>) -> PyResult<bool> {
        detached(py, || self.index.checkpoint())
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let statistics = py.detach(|| self.index.statistics());
        let stats = store_stats(py, &statistics.store)?;
        stats.set_item("sealed_nodes", statistics.sealed_nodes)?;
        stats.set_item("unreachable_nodes", statistics.unreachable_nodes)?;
        stats.set_item("memory_bytes", statistics.memory_bytes)?;
        Ok(stats)
    }

    fn notices(&self) -> Vec<String> {
        self.index.notices()
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.index.close());
    }
}
