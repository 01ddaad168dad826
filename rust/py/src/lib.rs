//! `arthur._native`: the core crate for Python. No logic lives here, only conversions; the GIL is released
//! around all work.

use pyo3::prelude::*;

mod decode;
mod error;
mod features;
mod index;
mod keypoints;
mod local;

/// Built in release mode or not; a debug build warns on import, since it would spoil every measurement.
#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("DEBUG_BUILD", cfg!(debug_assertions))?;
    module.add_class::<index::NativeIndex>()?;
    module.add_class::<local::NativeLocalIndex>()?;
    if cfg!(debug_assertions) {
        error::warn_debug_build(module.py())?;
    }
    features::register(module)?;
    keypoints::register(module)?;
    decode::register(module)
}
