"""An index that stands in for another one while that fails, and the watch over its return."""

from __future__ import annotations

import threading

import structlog

from arthur.catalog import Catalog
from arthur.errors import DeadlineExceeded, StoreError
from arthur.index import VectorIndex
from arthur.recognition.follower import Follower
from arthur.recognition.history import vector_history
from arthur.recognition.parts import ClearableIndex

log = structlog.get_logger(__name__)

RETRY_S = 0.5
"""Time after which an index that failed is tried again."""
MOST_BEHIND = 8192
"""Changes that an index may lack and still be asked: one page of a replay, for which a photo can wait."""


class Standby:
    """Follows the catalog beside an index, and is asked in its place from its first failure until it has all again.

    To be far behind is a failure as well. Nobody waits for the index meanwhile: a thread tries it every `RETRY_S`, and
    replays what it missed.
    Callable from any thread.

    Attributes:
        index: that stands in.
        follower: keeps it equal to the catalog.
    """

    def __init__(self, index: ClearableIndex, catalog: Catalog, *, fingerprint: str, original: Follower) -> None:
        """Stand in for the index that `original` keeps equal to the catalog."""
        self.index: VectorIndex = index
        self.follower = Follower(catalog, index, vector_history(catalog, index, fingerprint=fingerprint))
        self._original = original
        self._turn = threading.Lock()
        self._watch: threading.Thread | None = None
        self._closing = threading.Event()

    @property
    def in_charge(self) -> bool:
        """Whether it is asked instead of the index it stands in for."""
        return self._watch is not None

    def take_over(self, error: StoreError) -> None:
        """Be asked from now on, until the index that failed with this error is up to date again."""
        with self._turn:
            if self._watch is not None or self._closing.is_set():
                return
            self._watch = threading.Thread(target=self._await_return, name="standby", daemon=True)
            self._watch.start()
        log.error("standby_in_charge", error=str(error))

    def close(self) -> None:
        """End the watch; the index stays its owner's to close. Closing twice is allowed."""
        with self._turn:
            self._closing.set()
            watch = self._watch
        if watch is not None:
            watch.join()

    def _await_return(self) -> None:
        while not self._closing.wait(RETRY_S):
            try:
                reached = self._original.catch_up()
            except (StoreError, DeadlineExceeded):
                continue
            log.info("index_is_back", sequence=reached)
            break
        with self._turn:
            self._watch = None
