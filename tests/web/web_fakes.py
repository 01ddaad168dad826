"""An Arthur of real parts over models of the ports that need models or native code: decoder, engine and index."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
from PIL import Image

from arthur.blobs import Blobs, open_blobs
from arthur.cache import Cache, open_cache
from arthur.calibration.kept import load_calibration
from arthur.catalog import Catalog, open_catalog
from arthur.config import Settings
from arthur.encode import EngineSpec
from arthur.errors import ConfigError, Conflict, ImageTooLarge, InvalidImage
from arthur.fetch import Fetcher
from arthur.recognition.parts import Options, Parts
from arthur.recognizer import Recognizer
from arthur.reports import NoReports, Reports
from arthur.tracing import NoTracing, Tracing
from arthur.types import Neighbors

SIDE = 8
SPEC = EngineSpec(name="blocks", side=SIDE, fit="stretch", dim=192, fingerprint="f" * 64)


@dataclass(frozen=True)
class Decoded:
    pixels: np.ndarray
    preview: np.ndarray | None
    width: int
    height: int
    format: str


class Decoder:
    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes

    def __call__(
        self, data: Any, side: Any, *, fit: Any = "crop", preview_side: Any = 0, preview_gray: Any = False
    ) -> Any:
        if len(data) > self.max_bytes:
            raise ImageTooLarge(f"larger than {self.max_bytes} bytes")
        try:
            image = Image.open(io.BytesIO(data))
            kind = str(image.format).lower()
            pixels = np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BOX))
        except (OSError, SyntaxError, ValueError) as error:
            raise InvalidImage("not a picture") from error
        return Decoded(pixels, pixels if preview_side else None, *image.size, kind)


class Encoder:
    """Takes the pixels themselves as the vector; a dark top left corner makes it slow."""

    spec = SPEC

    def __init__(self, slow_s: float) -> None:
        self.slow_s = slow_s

    def encode(self, pixels: Any) -> Any:
        if pixels[0, 0, 0].max() < 8:
            time.sleep(self.slow_s)
        rows = pixels.reshape(len(pixels), -1).astype(np.float32) - 127.5
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def close(self) -> None:
        """Nothing is held."""


class Text:
    """Reads "picture N", and means the picture of that seed; every other text meets an engine without text tower."""

    def embed(self, texts: Any) -> Any:
        if not all(text.startswith("picture ") for text in texts):
            raise Conflict("the engine blocks has no text tower, so it cannot search by text")
        drawn = [np.random.default_rng(int(text.split()[1])).integers(9, 255, (8, 8, 3), np.uint8) for text in texts]
        return Encoder(0).encode(np.stack(drawn))

    def close(self) -> None:
        """Nothing is held."""


class Index:
    """Scans a dictionary."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.sequence = 0
        self.rows: dict[int, tuple[np.ndarray, int]] = {}
        self.ended: set[int] = set()

    def __len__(self) -> int:
        return len(self.rows)

    def put(self, keys: Any, vectors: Any, artists: Any) -> None:
        with self.lock:
            for key, vector, artist in zip(keys.tolist(), vectors, artists.tolist(), strict=True):
                if key not in self.ended:
                    self.rows.setdefault(key, (vector, artist))

    def remove(self, keys: Any) -> int:
        with self.lock:
            self.ended.update(keys.tolist())
            return sum(self.rows.pop(key, None) is not None for key in keys.tolist())

    def clear(self) -> None:
        with self.lock:
            self.rows, self.ended, self.sequence = {}, set(), 0

    def advance(self, sequence: int) -> None:
        self.sequence = max(self.sequence, sequence)

    def search(self, vectors: Any, k: int, *, where: Any = None) -> Any:
        with self.lock:
            rows = [(key, v) for key, (v, a) in self.rows.items() if where is None or a in where.artists]
        keys = np.full((len(vectors), k), -1, np.int64)
        scores = np.full((len(vectors), k), -np.inf, np.float32)
        for place, vector in enumerate(vectors):
            best = sorted(((float(vector @ v), key) for key, v in rows), reverse=True)[:k]
            for column, (score, key) in enumerate(best):
                keys[place, column], scores[place, column] = key, score
        return Neighbors(keys, scores)

    def checkpoint(self) -> None:
        """Nothing is kept."""

    def stats(self) -> Mapping[str, Any]:
        return {}

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True)
class FakeArthur:
    settings: Settings
    catalog: Catalog
    index: Index
    cache: Cache
    blobs: Blobs
    fetcher: Fetcher
    recognizer: Recognizer
    embedders: dict[str, str] = field(default_factory=dict)
    tracing: Tracing = field(default_factory=NoTracing)
    reports: Reports = field(default_factory=NoReports)

    def close(self) -> None:
        self.catalog.close()
        self.fetcher.close()


def open_fake(settings: Settings, tracing: Tracing | None = None) -> FakeArthur:
    """Open it. Engine names: slow for dark pictures, `slow:0.5`; `broken` does not open, `bug` is one."""
    if settings.engine == "broken":
        raise ConfigError("engine 'broken' is not installed")
    if settings.engine == "bug":
        raise KeyError(settings.engine)
    settings.data.mkdir(parents=True, exist_ok=True)
    catalog, index = open_catalog(settings.catalog_url), Index()
    blobs, cache = open_blobs(settings.blobs_url), open_cache("none:")
    encoder = Encoder(float(settings.engine.partition(":")[2] or 0))
    parts = Parts(
        local=None,
        text=Text(),
        decoder=Decoder(settings.max_image_bytes),
        encoder=encoder,  # type: ignore[arg-type]
        index=index,  # type: ignore[arg-type]
        catalog=catalog,
        cache=cache,
        blobs=blobs,
        canary=lambda: None,
        calibration=load_calibration(None, None, fingerprint=SPEC.fingerprint, verifier=""),
        identity=lambda: "fake",
        span=(tracing or NoTracing()).span,
    )
    fetcher = Fetcher(
        max_bytes=settings.max_image_bytes,
        timeout_s=settings.fetch_timeout_s,
        retries=settings.fetch_retries,
        allow=settings.fetch_allow,
    )
    recognizer = Recognizer(parts, Options(thumbnail_side=settings.thumbnail_side))
    return FakeArthur(settings, catalog, index, cache, blobs, fetcher, recognizer, tracing=tracing or NoTracing())
