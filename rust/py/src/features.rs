//! `arthur._native.Vocabulary` and `alike`: described patches, visual words and pairs that look alike.

use arthur_core::features::{self, DIM, PATCH, Space};
use arthur_core::{Error, Result};
use numpy::ndarray::Array2;
use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods,
};
use pyo3::prelude::*;

use crate::error::to_python;

type Found<'py> = (
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<i32>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<f32>>,
);

/// See `arthur._native.Vocabulary` in the stub.
#[pyclass(frozen, module = "arthur._native")]
struct Vocabulary {
    space: Space,
    words: features::Vocabulary,
}

fn table<T>(rows: usize, columns: usize, values: Vec<T>) -> Result<Array2<T>> {
    Array2::from_shape_vec((rows, columns), values)
        .map_err(|_| Error::Store("local features have an unexpected shape".to_owned()))
}

fn rows_of<T: numpy::Element + Copy>(
    rows: &PyReadonlyArray2<'_, T>,
    width: usize,
) -> Result<Vec<T>> {
    if rows.shape()[1] == width {
        return Ok(rows.as_array().iter().copied().collect());
    }
    let given = rows.shape()[1];
    Err(Error::BadRequest(format!(
        "rows must have {width} values, not {given}"
    )))
}

#[pymethods]
#[expect(
    clippy::needless_pass_by_value,
    reason = "PyO3 extracts arguments by value"
)]
impl Vocabulary {
    #[new]
    #[pyo3(signature = (*, mean, projection, branches, leaves, step, flips))]
    fn new(
        py: Python<'_>,
        mean: PyReadonlyArray1<'_, f32>,
        projection: PyReadonlyArray2<'_, f32>,
        branches: PyReadonlyArray2<'_, i8>,
        leaves: PyReadonlyArray2<'_, u8>,
        step: i8,
        flips: PyReadonlyArray2<'_, i8>,
    ) -> PyResult<Self> {
        let build = || {
            let space = Space::new(mean.as_array().to_vec(), rows_of(&projection, DIM)?)?;
            let leaves = rows_of(&leaves, DIM / 4)?;
            let words = features::Vocabulary::new(
                rows_of(&branches, DIM)?,
                &leaves,
                step,
                &rows_of(&flips, DIM)?,
            )?;
            Ok(Self { space, words })
        };
        build().map_err(|error| to_python(py, &error))
    }

    fn describe<'py>(
        &self,
        py: Python<'py>,
        patches: PyReadonlyArray2<'py, u8>,
    ) -> PyResult<Bound<'py, PyArray2<i8>>> {
        let described = rows_of(&patches, PATCH).and_then(|rows| {
            let count = rows.len() / PATCH;
            table(count, DIM, py.detach(|| self.space.describe(&rows)))
        });
        described
            .map(|rows| rows.into_pyarray(py))
            .map_err(|error| to_python(py, &error))
    }

    fn words<'py>(
        &self,
        py: Python<'py>,
        patches: PyReadonlyArray2<'py, i8>,
        count: usize,
    ) -> PyResult<Bound<'py, PyArray2<u16>>> {
        let found = rows_of(&patches, DIM).and_then(|rows| {
            if !(1..=256).contains(&count) {
                return Err(Error::BadRequest(format!(
                    "a patch has 1 to 256 words, not {count}"
                )));
            }
            table(
                rows.len() / DIM,
                count,
                py.detach(|| self.words.words(&rows, count)),
            )
        });
        found
            .map(|words| words.into_pyarray(py))
            .map_err(|error| to_python(py, &error))
    }

    fn signatures<'py>(
        &self,
        py: Python<'py>,
        patches: PyReadonlyArray2<'py, i8>,
        words: PyReadonlyArray2<'py, u16>,
    ) -> PyResult<Bound<'py, PyArray2<u64>>> {
        let (count, width) = (words.shape()[0], words.shape()[1]);
        let found = rows_of(&patches, DIM).and_then(|rows| {
            if rows.len() / DIM != count {
                return Err(Error::BadRequest(
                    "patches and words must be equally many".to_owned(),
                ));
            }
            let words = rows_of(&words, width)?;
            table(
                count,
                width,
                py.detach(|| self.words.signatures(&rows, &words)),
            )
        });
        found
            .map(|signatures| signatures.into_pyarray(py))
            .map_err(|error| to_python(py, &error))
    }
}

/// See `arthur._native.alike` in the stub.
#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "PyO3 extracts arguments by value"
)]
fn alike<'py>(
    py: Python<'py>,
    photo: PyReadonlyArray2<'py, i8>,
    work: PyReadonlyArray2<'py, i8>,
    least: i32,
) -> PyResult<Found<'py>> {
    let rows = rows_of(&photo, DIM).and_then(|photo| Ok((photo, rows_of(&work, DIM)?)));
    let (photo, work) = rows.map_err(|error| to_python(py, &error))?;
    let found = py.detach(|| features::alike(&photo, &work, least));
    Ok((
        found.photo.into_pyarray(py),
        found.work.into_pyarray(py),
        found.products.into_pyarray(py),
        found.mutual.into_pyarray(py),
        found.ratios.into_pyarray(py),
    ))
}

/// Add the class and the function to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Vocabulary>()?;
    module.add_function(wrap_pyfunction!(alike, module)?)
}
