//! The one table from core errors to the classes of `arthur.errors`.

use arthur_core::Error;
use pyo3::exceptions::PyRuntimeWarning;
use pyo3::prelude::*;

/// Turn a core error into the Python exception of the same meaning.
pub(crate) fn to_python(py: Python<'_>, error: &Error) -> PyErr {
    let class = match error {
        Error::InvalidImage(_) => "InvalidImage",
        Error::ImageTooLarge(_) => "ImageTooLarge",
        Error::UnsupportedImage(_) => "UnsupportedImage",
        Error::BadRequest(_) => "BadRequest",
        Error::Store(_) => "StoreError",
    };
    let raised = py
        .import("arthur.errors")
        .and_then(|errors| errors.getattr(class))
        .and_then(|class| class.call1((error.to_string(),)));
    match raised {
        Ok(value) => PyErr::from_value(value),
        Err(missing) => missing,
    }
}

/// Warn that this build is not optimised.
pub(crate) fn warn_debug_build(py: Python<'_>) -> PyResult<()> {
    PyErr::warn(
        py,
        &py.get_type::<PyRuntimeWarning>(),
        c"arthur._native is a debug build: every measurement made with it is wrong; build it with `make setup`",
        1,
    )
}
