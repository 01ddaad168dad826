//! One error type for the crate; its variants are the classes Python raises.

/// Shorthand used throughout the crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong; each message is one sentence that is safe to show to a client.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are not a picture that can be decoded whole.
    #[error("{0}")]
    InvalidImage(String),
    /// The picture exceeds a limit.
    #[error("{0}")]
    ImageTooLarge(String),
    /// The picture may be sound, but none of the Rust decoders reads its format.
    #[error("{0}")]
    UnsupportedImage(String),
    /// Arguments contradict each other or the index.
    #[error("{0}")]
    BadRequest(String),
    /// Files of the index could not be read or written, or are damaged.
    #[error("{0}")]
    Store(String),
}
