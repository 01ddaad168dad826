"""The Rust extension. Every call releases the GIL while it works and may be made from any thread."""

__version__: str
DEBUG_BUILD: bool
