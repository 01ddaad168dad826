"""What a Recognizer is made of: the ports it may call, and the settings it obeys."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from arthur.blobs import Blobs
from arthur.cache import Cache
from arthur.catalog import Catalog
from arthur.decision import Calibration
from arthur.encode import Encoder
from arthur.encode.text import TextEncoder
from arthur.index import VectorIndex
from arthur.local import LocalIndex
from arthur.recognition.history import Followed
from arthur.types import Fit, Pixels
from arthur.verify import Verifier


class Picture(Protocol):
    """A decoded picture, as `arthur.decode.Decoded` is one."""

    @property
    def pixels(self) -> Pixels:
        """(side, side, 3) uint8 RGB."""
        ...

    @property
    def preview(self) -> NDArray[np.uint8] | None:
        """(h, w, 3) uint8 RGB, or None when it was not asked for."""
        ...

    @property
    def width(self) -> int:
        """Of the whole picture after EXIF orientation, pixels."""
        ...

    @property
    def height(self) -> int:
        """Of the whole picture after EXIF orientation, pixels."""
        ...

    @property
    def format(self) -> str:
        """Name of the file format: jpeg, png, ..."""
        ...


class Decoder(Protocol):
    """Bytes to squares, as `arthur.decode.ImageDecoder` does it. Callable from any thread."""

    def __call__(
        self, data: bytes, side: int, *, fit: Fit = "crop", preview_side: int = 0, preview_gray: bool = False
    ) -> Picture:
        """Decode once into the square and, if `preview_side` is not 0, a preview.

        Raises:
            InvalidImage, ImageTooLarge, UnsupportedImage: the bytes are no picture that may be used.
        """
        ...


class ClearableIndex(VectorIndex, Followed, Protocol):
    """A VectorIndex that can begin anew."""


class ClearableLocalIndex(LocalIndex, Followed, Protocol):
    """A LocalIndex that can begin anew."""


@dataclass(frozen=True, slots=True)
class LocalParts:
    """Local features: who finds and compares them, and the index of those that are enrolled."""

    verifier: Verifier
    index: ClearableLocalIndex


@dataclass(frozen=True, slots=True)
class Parts:
    """The opened parts, owned by whoever opened them.

    Attributes:
        local: local features and their index; None answers by the vectors alone.
        canary: raises EngineError when the engine no longer gives the vector it gave when it was loaded.
        calibration: of this engine, for the decision.
        identity: tells the catalogue's random name, so that answers of several catalogues, or of one before and after
            it was restored, are kept apart.
        text: the text tower of the same engine; None searches by pictures alone.
        stale: why the catalogue's own calibration is not in force; "" when there is none, or it is.
        standby: index that is asked while `index` fails; None does without one.
        clock: seconds that only grow.
        span: see Tracing.span.
        close: closes what belongs to this engine alone: the engine itself, its text tower and its index.
    """

    decoder: Decoder
    encoder: Encoder
    index: ClearableIndex
    local: LocalParts | None
    catalog: Catalog
    cache: Cache
    blobs: Blobs
    canary: Callable[[], None]
    calibration: Calibration
    identity: Callable[[], str]
    text: TextEncoder | None = None
    stale: str = ""
    standby: ClearableIndex | None = None
    clock: Callable[[], float] = time.perf_counter
    span: Callable[[str], AbstractContextManager[object]] = nullcontext
    close: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Options:
    """The settings a Recognizer obeys; each is described in `arthur.config.Settings`.

    Attributes:
        scans: whether a small catalogue is compared view by view when no index answers.
    """

    max_false_accept: float = 0.001
    batch_max: int = 8
    keep_originals: bool = False
    thumbnail_side: int = 512
    scans: bool = True
