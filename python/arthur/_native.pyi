"""The Rust extension. Every call releases the GIL while it works and may be made from any thread."""

from pathlib import Path
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from arthur.types import LocalQuery

__all__ = [
    "DEBUG_BUILD",
    "Decoder",
    "Index",
    "LocalIndex",
    "Vocabulary",
    "__version__",
    "alike",
    "crop_box",
    "keypoints",
]

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

@final
class Vocabulary:
    """Describes patches and names their visual words. Immutable."""

    def __new__(
        cls,
        *,
        mean: NDArray[np.float32],
        projection: NDArray[np.float32],
        branches: NDArray[np.int8],
        leaves: NDArray[np.uint8],
        step: int,
        flips: NDArray[np.int8],
    ) -> Self:
        """Take what was learned; the arrays are copied.

        Args:
            mean: (128,) of RootSIFT.
            projection: (128, 64) of what is left of it.
            branches: (256, 64) the tree's first level.
            leaves: (65536, 16) two bits for each value: -3, -1, 1 or 3 steps beside the branch.
            step: of the leaves.
            flips: (2, 64) signs, 1 or -1, of the rotation behind signatures.

        Raises:
            StoreError: a size is wrong, or a number is not finite.
            BadRequest: a row has another width.
        """

    def describe(self, patches: NDArray[np.uint8]) -> NDArray[np.int8]:
        """Describe (n, 128) SIFT histograms as (n, 64) unit vectors times 160.

        Raises:
            BadRequest: rows have another width.
        """

    def words(self, patches: NDArray[np.int8], count: int) -> NDArray[np.uint16]:
        """Return the (n, count) words nearest to (n, 64) described patches, nearest first.

        Raises:
            BadRequest: rows have another width, or `count` is not 1 to 256.
        """

    def signatures(self, patches: NDArray[np.int8], words: NDArray[np.uint16]) -> NDArray[np.uint64]:
        """Return (n, a) signatures of (n, 64) described patches, one for each of their (n, a) words.

        Raises:
            BadRequest: rows have another width, or patches and words are not equally many.
        """

def alike(
    photo: NDArray[np.int8], work: NDArray[np.int8], least: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.int32], NDArray[np.uint32], NDArray[np.float32]]:
    """Return all pairs of a (n, 64) and a (m, 64) described patch whose inner product is at least `least`.

    Returns:
        Three arrays of one length, by patch of the photo: number in the photo, number in the work, inner product. Then
        two of another length: the places in these of pairs in which each is the other's most alike, and for each of
        them the squared distance to it, as a share of that to the second most alike patch of the work.

    Raises:
        BadRequest: rows have another width.
    """

def keypoints(
    gray: NDArray[np.uint8], count: int, *, kept: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8]]:
    """Return SIFT keypoints of a (h, w) picture: of the `count` strongest those `kept` that lie all over it.

    The strongest of each cell of a grid come first, then the second of each, and so on; all of them, strongest first,
    if there are no more than `kept`. Takes some 32 bytes a pixel. Any picture will do, even an empty one.

    Returns:
        For each: (n, 2) x and y, pixels; (n,) diameter, pixels; (n,) direction, clockwise from the right, radians,
        0..2 pi; (n, 128) histograms: 4 x 4 cells of 8 directions. They agree with those of OpenCV.
    """
