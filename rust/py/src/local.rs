//! `arthur._native.LocalIndex`: arrays in, arrays out, the GIL released around all work.

use std::path::PathBuf;

use arthur_core::Result;
use arthur_core::local::{Arrays, LocalIndex, Options, Query};
use arthur_core::store::Artists;
use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;

use crate::error::to_python;
use crate::index::{detached, keys_of, store_stats};

/// An answer, as keys and scores.
type Found<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<f32>>);

/// See `arthur._native.LocalIndex` in the stub.
#[pyclass(frozen, name = "LocalIndex", module = "arthur._native")]
pub(crate) struct NativeLocalIndex {
    index: LocalIndex,
}

/// The features of a photo as a caller hands them over.
#[derive(FromPyObject)]
struct Features<'py> {
    words: PyReadonlyArray2<'py, u16>,
    signatures: PyReadonlyArray2<'py, u64>,
    points: PyReadonlyArray2<'py, f32>,
    scales: PyReadonlyArray1<'py, f32>,
    angles: PyReadonlyArray1<'py, f32>,
}

impl Features<'_> {
    fn query(&self) -> Result<Query> {
        let words: Vec<u16> = self.words.as_array().iter().copied().collect();
        let signatures: Vec<u64> = self.signatures.as_array().iter().copied().collect();
        let points: Vec<f32> = self.points.as_array().iter().copied().collect();
        let arrays = Arrays {
            words: &words,
            signatures: &signatures,
            points: &points,
            scales: &self.scales.as_array().to_vec(),
            angles: &self.angles.as_array().to_vec(),
        };
        Query::new(arrays, self.words.shape()[1])
    }
}

#[pymethods]
#[expect(
    clippy::needless_pass_by_value,
    reason = "PyO3 extracts arguments by value"
)]
impl NativeLocalIndex {
    #[new]
    #[pyo3(signature = (path, *, fingerprint, tail_rows, threshold))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        fingerprint: String,
        tail_rows: usize,
        threshold: u8,
    ) -> PyResult<Self> {
        let options = Options {
            fingerprint,
            tail_rows,
            threshold,
        };
        let index = detached(py, || LocalIndex::open(&path, options))?;
        Ok(Self { index })
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
        features: Vec<PyBackedBytes>,
        artists: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<()> {
        let keys = keys_of(&keys).map_err(|error| to_python(py, &error))?;
        let artists = artists.as_array().to_vec();
        detached(py, || {
            let features: Vec<&[u8]> = features.iter().map(|bytes| &bytes[..]).collect();
            self.index.put(&keys, &features, &artists)
        })
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

    #[pyo3(signature = (query, k, artists=None))]
    fn search<'py>(
        &self,
        py: Python<'py>,
        query: Features<'py>,
        k: usize,
        artists: Option<PyReadonlyArray1<'py, i64>>,
    ) -> PyResult<Found<'py>> {
        let query = query.query().map_err(|error| to_python(py, &error))?;
        let artists = artists.map(|numbers| Artists::new(numbers.as_array().to_vec()));
        let (keys, scores) = detached(py, || {
            let hits = self.index.search(&query, k, artists.as_ref())?;
            let mut keys: Vec<_> = hits.iter().map(|hit| hit.key.cast_signed()).collect();
            let mut scores: Vec<_> = hits.iter().map(|hit| hit.score).collect();
            keys.resize(k, -1);
            scores.resize(k, f32::NEG_INFINITY);
            Ok((keys, scores))
        })?;
        Ok((PyArray1::from_vec(py, keys), PyArray1::from_vec(py, scores)))
    }

    fn checkpoint(&self, py: Python<'_>) -> PyResult<bool> {
        detached(py, || self.index.checkpoint())
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let statistics = py.detach(|| self.index.statistics());
        let stats = store_stats(py, &statistics.store)?;
        stats.set_item("postings", statistics.postings)?;
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
