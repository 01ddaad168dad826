"""Embeds a catalogue by another engine, beside the vectors that it has, from the pictures that are kept.

The catalog is the truth of what is done, so the job may be killed at any moment and goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from arthur.errors import EngineError, InvalidImage
from arthur.pictures import PictureKind, kept
from arthur.recognition.follower import Progress
from arthur.recognition.parts import Parts
from arthur.types import Keys, StoredView

PAGE = 1024
"""Keys that are asked for at once."""
HOPELESS = 256
"""Views that failed, while none was embedded, after which the rest is not tried."""


@dataclass(slots=True)
class Tally:
    """What became of the views.

    Attributes:
        originals, thumbnails: how many were embedded from each.
        failed: by key, the name of a view that could not be embedded, and why.
    """

    originals: int = 0
    thumbnails: int = 0
    failed: dict[int, tuple[str, str]] = field(default_factory=dict)

    @property
    def embedded(self) -> int:
        """How many views were embedded."""
        return self.originals + self.thumbnails


class Throttle:
    """Keeps a job to a rate, and to a share of the time.

    Args:
        rate: pictures a second; 0 is as many as can be.
        share: of the time that the job may work; it rests for the remainder.
    """

    def __init__(
        self,
        *,
        rate: float = 0.0,
        share: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._share = share
        self._clock = clock
        self._sleep = sleep

    def __call__(self, pictures: int, begun_at: float) -> None:
        """Rest after a batch of so many pictures, which was begun at that time of the clock."""
        spent = self._clock() - begun_at
        wanted = max(spent / self._share, pictures / self._rate if self._rate else 0.0)
        if wanted > spent:
            self._sleep(wanted - spent)

    def now(self) -> float:
        """Return the time of the clock."""
        return self._clock()


@dataclass(frozen=True, slots=True)
class _Read:
    """A view's picture as the engine's square."""

    stored: StoredView
    kind: PictureKind
    pixels: NDArray[np.uint8]


class Embedding:
    """Embeds what an engine lacks.

    Args:
        parts: the engine, the catalog, the blobs and the decoder.
        batch: pictures embedded in one call, and committed in one transaction.
        threads: that read and decode pictures.
        throttle: rests between batches.
    """

    def __init__(self, parts: Parts, *, batch: int = 32, threads: int = 2, throttle: Throttle | None = None) -> None:
        self._parts = parts
        self._spec = parts.encoder.spec
        self._batch = batch
        self._threads = threads
        self._throttle = throttle or Throttle()

    def __call__(self, progress: Callable[[Progress], None], tally: Tally) -> Tally:
        """Embed every view that lacks a vector of the engine by now, note it in `tally`, and return that.

        Raises:
            StoreError: the catalog or the blob store does not answer, or the disk is full; what was embedded is kept.
        """
        tally.failed.clear()
        total = self._parts.catalog.counts().views
        done = sum(known.vectors for known in self._parts.catalog.engines() if self._is_own(known.fingerprint))
        with ThreadPoolExecutor(self._threads, thread_name_prefix="pictures") as pool:
            for keys in _chunks(self._lacking(), self._batch):
                begun_at = self._throttle.now()
                done += self._embed(keys, pool, tally)
                progress(Progress("embed", done, max(total, done)))
                if not tally.embedded and len(tally.failed) >= HOPELESS:
                    break
                self._throttle(len(keys), begun_at)
        return tally

    def _is_own(self, fingerprint: str) -> bool:
        return fingerprint == self._spec.fingerprint

    def _lacking(self) -> Iterator[int]:
        since = 0
        while len(keys := self._parts.catalog.unembedded(self._spec.fingerprint, since, PAGE)):
            yield from keys.tolist()
            since = int(keys[-1])

    def _embed(self, keys: Sequence[int], pool: ThreadPoolExecutor, tally: Tally) -> int:
        """Read, embed and commit some views; return how many have a vector now."""
        live = self._parts.catalog.views(np.array(keys, np.int64))
        read: list[_Read] = []
        for stored, outcome in zip(live.values(), pool.map(self._read, live.values()), strict=True):
            if isinstance(outcome, _Read):
                read.append(outcome)
            else:
                tally.failed[stored.key] = (stored.view.hierarchical, outcome)
        return self._put(read, tally)

    def _read(self, stored: StoredView) -> _Read | str:
        """Return the view's picture, or why there is none."""
        reason = "neither an original nor a thumbnail is kept"
        for kind, data in kept(self._parts.blobs, stored):
            try:
                picture = self._parts.decoder(data, self._spec.side, fit=self._spec.fit)
            except InvalidImage as error:
                reason = str(error)
            else:
                return _Read(stored, kind, picture.pixels)
        return reason

    def _put(self, read: Sequence[_Read], tally: Tally) -> int:
        """Embed together; if that fails, one by one, so that the picture at fault is found."""
        if not read:
            return 0
        try:
            vectors = self._parts.encoder.encode(np.stack([one.pixels for one in read]))
        except EngineError as error:
            if len(read) > 1:
                return sum(self._put([one], tally) for one in read)
            tally.failed[read[0].stored.key] = (read[0].stored.view.hierarchical, str(error))
            return 0
        keys: Keys = np.array([one.stored.key for one in read], np.int64)
        put = self._parts.catalog.put_vectors(keys, vectors, self._spec.fingerprint, passport=self._spec.passport)
        tally.originals += sum(one.kind == "original" for one in read)
        tally.thumbnails += sum(one.kind == "thumbnail" for one in read)
        return put


def _chunks(keys: Iterable[int], size: int) -> Iterator[list[int]]:
    stream = iter(keys)
    while chunk := list(islice(stream, size)):
        yield chunk
