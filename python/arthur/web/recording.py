"""Puts answers into the match log, off the request path: in batches, from a queue that drops when it is full."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, Full, Queue

import structlog
from blake3 import blake3

from arthur.catalog.match_log import MatchLog
from arthur.errors import StoreError
from arthur.types import LoggedMatch, Recognition

log = structlog.get_logger(__name__)

_DAY_US = 86_400_000_000
_PLACES = 10_000
_BATCH = 500
_EVERY_S = 1.0
_FORGOTTEN_EVERY_S = 3600.0


class Recorder:
    """Logs answers for `days`; with 0 days it logs none and forgets those that an earlier process logged.

    Callable from any thread. What is in no batch yet is lost with the process: at most what came in `every_s`.
    """

    def __init__(
        self,
        kept: MatchLog,
        *,
        days: int,
        dropped: Callable[[int], None] = lambda _: None,
        places: int = _PLACES,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Log nothing before `follow`; `dropped` hears of answers for which the queue had no place."""
        self._log = kept
        self._days = days
        self._dropped = dropped
        self._clock_ns = clock_ns
        self._queue: Queue[LoggedMatch] = Queue(places)
        self._batch: list[LoggedMatch] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="match-log", daemon=True)

    def note(self, photos: Sequence[bytes], answer: Recognition, milliseconds: float) -> None:
        """Queue an answer to one photo, or to several of one work. Never blocks, and keeps no picture."""
        if not self._days:
            return
        digest = blake3()
        for photo in photos:
            digest.update(photo)
        best = answer.matches[0].view if answer.matches and answer.decision != "no_match" else None
        one = LoggedMatch(
            at_us=self._clock_ns() // 1000,
            photo=digest.hexdigest(),
            decision=answer.decision,
            artist_id=None if best is None else best.artist_id,
            entry_id=None if best is None else best.entry_id,
            probability=answer.probability,
            milliseconds=milliseconds,
            engine=answer.engine,
        )
        try:
            self._queue.put_nowait(one)
        except Full:
            self._dropped(1)

    def follow(self) -> None:
        """Begin to write and to forget."""
        self._thread.start()

    def close(self) -> None:
        """Write what is queued, if the catalogue takes it, and end. Closing twice is allowed."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def write(self) -> None:
        """Put what is queued into the log, batch by batch; a batch that fails is kept for the next time."""
        while self._filled():
            try:
                self._log.put(self._batch)
            except StoreError as error:
                log.warning("match_log_not_written", answers=len(self._batch), error=str(error))
                return
            self._batch = []

    def forget(self) -> None:
        """Remove what is older than it may be."""
        now_us = self._clock_ns() // 1000
        try:
            self._log.forget(now_us - self._days * _DAY_US, now_us=now_us)
        except StoreError as error:
            log.warning("match_log_not_forgotten", error=str(error))

    def _filled(self) -> bool:
        """Fill the batch from the queue; return whether it has anything."""
        try:
            while len(self._batch) < _BATCH:
                self._batch.append(self._queue.get_nowait())
        except Empty:
            pass
        return bool(self._batch)

    def _run(self) -> None:
        forgotten = -_FORGOTTEN_EVERY_S
        while not self._ended.is_set():
            if time.monotonic() - forgotten >= _FORGOTTEN_EVERY_S:
                self.forget()
                forgotten = time.monotonic()
            self._ended.wait(_EVERY_S if self._days else _FORGOTTEN_EVERY_S)
            self.write()
