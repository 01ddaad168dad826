//! `Decoder`: pictures to arrays.

use arthur_core::decode::{Decoded, Fit, Limits, Preview, Request, Size, crop_region, decode};
use arthur_core::{Error, Result};
use numpy::ndarray::{Array2, Array3};
use numpy::{IntoPyArray, PyArray3};
use pyo3::prelude::*;

use crate::error::to_python;

type Answer<'py> = (
    Bound<'py, PyArray3<u8>>,
    Option<Bound<'py, PyAny>>,
    u32,
    u32,
    &'static str,
);

/// Decodes pictures within limits; immutable, so any thread may use it.
#[pyclass(frozen, module = "arthur._native")]
struct Decoder {
    limits: Limits,
}

#[pymethods]
impl Decoder {
    #[new]
    #[pyo3(signature = (*, max_bytes, max_pixels))]
    fn new(max_bytes: usize, max_pixels: u64) -> Self {
        Self {
            limits: Limits {
                max_bytes,
                max_pixels,
            },
        }
    }

    #[pyo3(signature = (data, side, *, fit, preview_side, preview_gray))]
    fn decode<'py>(
        &self,
        py: Python<'py>,
        data: &[u8],
        side: u32,
        fit: &str,
        preview_side: u32,
        preview_gray: bool,
    ) -> PyResult<Answer<'py>> {
        let request = parse_fit(fit).map(|fit| Request {
            side,
            fit,
            preview_side,
            preview_gray,
        });
        let decoded = py.detach(|| decode(data, &request?, &self.limits));
        answer(py, side, decoded.map_err(|error| to_python(py, &error))?)
    }
}

/// Left, top, right and bottom of the part of a picture that becomes the square.
#[pyfunction]
fn crop_box(
    py: Python<'_>,
    width: u32,
    height: u32,
    side: u32,
    fit: &str,
) -> PyResult<(f64, f64, f64, f64)> {
    let fit = parse_fit(fit).map_err(|error| to_python(py, &error))?;
    let region = crop_region(Size { width, height }, side, fit);
    Ok((
        region.left,
        region.top,
        region.left + region.width,
        region.top + region.height,
    ))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Decoder>()?;
    module.add_function(wrap_pyfunction!(crop_box, module)?)
}

fn parse_fit(fit: &str) -> Result<Fit> {
    match fit {
        "crop" => Ok(Fit::Crop),
        "stretch" => Ok(Fit::Stretch),
        other => Err(Error::BadRequest(format!(
            "fit must be crop or stretch, not {other:?}"
        ))),
    }
}

fn answer(py: Python<'_>, side: u32, decoded: Decoded) -> PyResult<Answer<'_>> {
    let Decoded {
        pixels,
        preview,
        size,
        format,
    } = decoded;
    let square = Size {
        width: side,
        height: side,
    };
    let preview = preview
        .map(|preview| preview_array(py, preview))
        .transpose()?;
    Ok((
        rgb(py, square, pixels)?,
        preview,
        size.width,
        size.height,
        format.name(),
    ))
}

fn preview_array(py: Python<'_>, preview: Preview) -> PyResult<Bound<'_, PyAny>> {
    let Preview {
        pixels,
        size,
        channels,
    } = preview;
    if channels == 3 {
        return rgb(py, size, pixels).map(Bound::into_any);
    }
    let shape = (size.height as usize, size.width as usize);
    let gray = Array2::from_shape_vec(shape, pixels).map_err(misshapen)?;
    Ok(gray.into_pyarray(py).into_any())
}

fn rgb(py: Python<'_>, size: Size, pixels: Vec<u8>) -> PyResult<Bound<'_, PyArray3<u8>>> {
    let shape = (size.height as usize, size.width as usize, 3);
    Ok(Array3::from_shape_vec(shape, pixels)
        .map_err(misshapen)?
        .into_pyarray(py))
}

fn misshapen(error: impl std::fmt::Display) -> PyErr {
    pyo3::exceptions::PyAssertionError::new_err(format!(
        "the decoder made an array of the wrong shape: {error}"
    ))
}
