"""The Rust extension. Every call releases the GIL while it works and may be made from any thread."""

from pathlib import Path
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from arthur.types import LocalQuery

__all__ = ["DEBUG_BUILD", "Decoder", "Index", "LocalIndex", "__version__", "crop_box"]

__version__: str
DEBUG_BUILD: bool

@final
class Decoder:
    """Decodes JPEG, PNG, WebP, GIF, BMP and TIFF within limits. Immutable."""

    def __new__(cls, *, max_bytes: int, max_pixels: int) -> Self: ...
    def decode(
        self, data: bytes, side: int, *, fit: str, preview_side: int, preview_gray: bool
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None, int, int, str]:
        """Decode a picture whole or not at all.

        Args:
            data: the encoded picture; read while the GIL is released.
            side: edge of the square, pixels, 1..8192.
            fit: "crop" or "stretch".
            preview_side: longest side of the preview, pixels, 0..8192; 0 makes none; never enlarged.
            preview_gray: one channel of luma instead of RGB.

        Returns:
            The square (side, side, 3) uint8 sRGB; the preview (h, w, 3) or (h, w) uint8, or None; width and height of
            the whole picture upright; the name of its format. The arrays are new and C-contiguous.

        Raises:
            InvalidImage: no picture, or one that is damaged or cut short.
            ImageTooLarge: a limit is exceeded.
            UnsupportedImage: may be a picture, but of a kind that is not read here.
            BadRequest: a side or `fit` is out of range.
        """

def crop_box(width: int, height: int, side: int, fit: str) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom, in pixels, of the part of an upright picture that becomes the square.

    Raises:
        BadRequest: `fit` is neither "crop" nor "stretch".
    """

@final
class Index:
    """Vectors by key in the folder `path`: mapped segments, a tail in memory, background sealing.

    Several processes may open one folder; one of them writes. A slice of the catalog is replayed from `sequence`
    after opening. Arrays are copied before the GIL is released. Every method but `close` and `notices` raises
    StoreError once the index is closed, apart from `sequence`, `len()` and `stats`, which then tell of an empty one.
    """

    def __new__(cls, path: Path, *, dim: int, fingerprint: str, tail_rows: int, build_threads: int) -> Index:
        """Open the folder, or make it; hashes every file in use.

        `tail_rows`: rows compared exactly before they are sealed into a graph; `build_threads`: 1 or 2.

        Raises:
            BadRequest: an option is out of range.
            StoreError: the folder cannot be read or made.
        """

    @property
    def sequence(self) -> int:
        """Catalog sequence up to which changes were applied."""

    def __len__(self) -> int:
        """Number of keys that can be found."""

    def put(self, keys: NDArray[np.int64], vectors: NDArray[np.float32], artists: NDArray[np.int64]) -> None:
        """Put (n,) keys, (n, dim) unit rows and (n,) artist numbers; keys present or removed before are ignored.

        Raises:
            BadRequest: shapes disagree, a key is negative, or a row is not a finite unit vector; none were put.
        """

    def remove(self, keys: NDArray[np.int64]) -> int:
        """Make (n,) keys unfindable for good and return how many were there."""

    def advance(self, sequence: int) -> None:
        """Note that all changes up to `sequence` have been applied; it never goes back."""

    def search(
        self, vectors: NDArray[np.float32], k: int, artists: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return (n, k) keys, padded with -1, and (n, k) cosine similarities, padded with -inf, best first.

        Raises:
            BadRequest: `k` is not 1 to 1000, or (n, dim) `vectors` are not finite unit rows.
        """

    def checkpoint(self) -> bool:
        """Write everything applied so far and wait for it; False when another process is the one that writes.

        Raises:
            StoreError: the files cannot be written; the index goes on as before.
        """

    def stats(self) -> dict[str, int | bool]:
        """Sizes and states; see `Statistics` in the core crate."""

    def notices(self) -> list[str]:
        """Take the sentences an operator should read since the last call."""

    def close(self) -> None:
        """Stop background work and let the files go. Closing twice is allowed."""

@final
class LocalIndex:
    """Packed local features by key in the folder `path`: mapped lists of words, a tail in memory, background sealing.

    Several processes may open one folder; one of them writes. A slice of the catalog is replayed from `sequence`
    after opening. Features are read in place, arrays are copied before the GIL is released. Every method but `close`
    and `notices` raises StoreError once the index is closed, apart from `sequence`, `len()` and `stats`, which then
    tell of an empty one.
    """

    def __new__(cls, path: Path, *, fingerprint: str, tail_rows: int, threshold: int) -> LocalIndex:
        """Open the folder, or make it; hashes every file in use.

        `tail_rows`: views kept in memory before they are sealed; `threshold`: bits in which signatures of like
        features differ at most, 0..32.

        Raises:
            BadRequest: an option is out of range.
            StoreError: the folder cannot be read or made.
        """

    @property
    def sequence(self) -> int:
        """Catalog sequence up to which changes were applied."""

    def __len__(self) -> int:
        """Number of keys that can be found."""

    def put(self, keys: NDArray[np.int64], features: list[bytes], artists: NDArray[np.int64]) -> None:
        """Put (n,) keys, n packed features and (n,) artist numbers; keys present or removed before are ignored.

        Raises:
            BadRequest: lengths disagree, a key is negative, or features are not packed ones; none were put.
        """

    def remove(self, keys: NDArray[np.int64]) -> int:
        """Make (n,) keys unfindable for good and return how many were there."""

    def advance(self, sequence: int) -> None:
        """Note that all changes up to `sequence` have been applied; it never goes back."""

    def search(
        self, query: LocalQuery, k: int, artists: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return (k,) keys, padded with -1, and (k,) scores, padded with -inf, best first.

        Raises:
            BadRequest: `k` is not 1 to 1000, or the arrays of the query disagree.
        """

    def checkpoint(self) -> bool:
        """Write everything applied so far and wait for it; False when another process is the one that writes.

        Raises:
            StoreError: the files cannot be written; the index goes on as before.
        """

    def stats(self) -> dict[str, int | bool]:
        """Sizes and states; see `Statistics` in the core crate."""

    def notices(self) -> list[str]:
        """Take the sentences an operator should read since the last call."""

    def close(self) -> None:
        """Stop background work and let the files go. Closing twice is allowed."""
