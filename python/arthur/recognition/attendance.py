"""Keeps the indices of a process up to date while nobody asks, so that a photo never waits for others' writes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from arthur.catalog import Catalog
from arthur.errors import StoreError

__all__ = ["Attendance"]

_PATIENCE_S = 1.0
_REST_S = 0.5
_CLOSING_S = 5.0


def _nowhere() -> None:
    """Look at nothing."""


class Attendance:
    """A thread that follows the catalogue from its beginning to `close`. A context manager that closes.

    A catalogue that does not answer is asked again after a rest; whoever matches meanwhile is told.
    """

    def __init__(self, catalog: Catalog, follow: Callable[[], None], look: Callable[[], None] = _nowhere) -> None:
        """Begin to call `follow`, which raises nothing, whenever the catalogue has changed, and `look` once a second.

        `look` may raise StoreError when the catalogue does not answer.
        """
        self._catalog = catalog
        self._follow = follow
        self._look = look
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="attendance", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread, as a rule at once; a long replay is left to end with the process.

        Closing twice is allowed.
        """
        self._closing.set()
        self._thread.join(_CLOSING_S)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _run(self) -> None:
        seen = -1
        while not self._closing.is_set():
            try:
                newest = self._catalog.wait(seen, _PATIENCE_S, self._closing)
                self._look()
            except StoreError:
                self._closing.wait(_REST_S)
                continue
            if newest != seen:
                self._follow()
                seen = newest
