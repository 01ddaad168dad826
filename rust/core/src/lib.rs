//! What Arthur does at machine speed and without Python: decoding pictures, comparing patches and searching vectors.

pub mod decode;
pub mod error;
pub mod features;
pub mod index;
pub mod local;
pub mod store;

pub use error::{Error, Result};
