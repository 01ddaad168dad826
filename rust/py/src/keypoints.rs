//! `arthur._native.keypoints`: SIFT keypoints of gray pictures.

use arthur_core::Error;
use arthur_core::features::{self, PATCH};
use numpy::ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::error::to_python;

type Keypoints<'py> = (
    Bound<'py, PyArray2<f32>>,
    Bound<'py, PyArray1<f32>>,
    Bound<'py, PyArray1<f32>>,
    Bound<'py, PyArray2<u8>>,
);

/// See `arthur._native.keypoints` in the stub.
#[pyfunction]
#[pyo3(signature = (gray, count, *, kept))]
#[expect(
    clippy::needless_pass_by_value,
    reason = "PyO3 extracts arguments by value"
)]
fn keypoints<'py>(
    py: Python<'py>,
    gray: PyReadonlyArray2<'py, u8>,
    count: usize,
    kept: usize,
) -> PyResult<Keypoints<'py>> {
    let width = gray.shape()[1];
    let pixels: Vec<u8> = gray.as_array().iter().copied().collect();
    let found = py.detach(|| features::keypoints(&pixels, width, count, kept));
    let rows = found.scales.len();
    let points = table(rows, 2, found.points.into_flattened());
    let patches = table(rows, PATCH, found.patches.into_flattened());
    match (points, patches) {
        (Ok(points), Ok(patches)) => Ok((
            points.into_pyarray(py),
            found.scales.into_pyarray(py),
            found.angles.into_pyarray(py),
            patches.into_pyarray(py),
        )),
        (Err(error), _) | (_, Err(error)) => Err(to_python(py, &error)),
    }
}

fn table<T>(rows: usize, columns: usize, values: Vec<T>) -> Result<Array2<T>, Error> {
    Array2::from_shape_vec((rows, columns), values)
        .map_err(|_| Error::Store("keypoints have an unexpected shape".to_owned()))
}

/// Add the function to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(keypoints, module)?)
}
