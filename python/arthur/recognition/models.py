"""The model in force: taken by each request, and replaced when the catalog names another engine.

The catalog says in one transaction which engine is in force. Whoever takes a model asks it, which costs microseconds.
When the answer is new, the new model is opened beside the old one by a thread of its own; until it is there, the old
one goes on answering while it can see all that the catalog has. It is closed when the last request that holds it ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Condition, Thread

import structlog

from arthur.catalog import Catalog
from arthur.errors import ArthurError, EngineError, StoreError
from arthur.recognition.model import Model

log = structlog.get_logger(__name__)

RETRY_S = 2.0
"""Time after which an engine that could not be opened is tried again."""


@dataclass(slots=True)
class _Held:
    """A model and how many hold it."""

    model: Model
    users: int = 0


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why the engine with that fingerprint could not be opened, and when."""

    fingerprint: str
    reason: str
    at: float


class Models:
    """Lends the model in force. Callable from any thread.

    Args:
        first: the model to begin with.
        catalog: names the engine in force.
        opened: opens the model of the engine with that fingerprint; None keeps the first one for good.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        first: Model,
        catalog: Catalog,
        opened: Callable[[str], Model] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._held = _Held(first)
        self._catalog = catalog
        self._opened = opened
        self._clock = clock
        self._turn = Condition()
        self._opening: Thread | None = None
        self._failure: _Failure | None = None
        self._closed = False

    @contextmanager
    def taken(self, *, writing: bool = False) -> Iterator[Model]:
        """Lend the model in force; who is `writing` never gets an older one.

        Raises:
            EngineError: another engine is in force, it cannot be opened here, and the one that is open cannot answer.
            StoreError: the catalog does not answer.
        """
        held = self._claimed(writing=writing)
        try:
            yield held.model
        finally:
            self._give_back(held)

    @contextmanager
    def any(self) -> Iterator[Model]:
        """Lend the model that is open, whichever is in force."""
        held = self._hold()
        try:
            yield held.model
        finally:
            self._give_back(held)

    def close(self) -> None:
        """Close the model, after a change of models that is under way has ended. Closing twice is allowed."""
        with self._turn:
            self._closed = True
            opening = self._opening
        if opening is not None:
            opening.join()
        self._held.model.close()

    def _claimed(self, *, writing: bool) -> _Held:
        while True:
            wanted = self._catalog.engine() if self._opened is not None else ""
            held = self._hold()
            if wanted in ("", held.model.spec.fingerprint):
                return held
            self._begin(wanted)
            if not writing and held.model.sees_everything():
                return held
            self._give_back(held)
            self._await(wanted)

    def _hold(self) -> _Held:
        with self._turn:
            self._held.users += 1
            return self._held

    def _give_back(self, held: _Held) -> None:
        with self._turn:
            held.users -= 1
            self._turn.notify_all()

    def _begin(self, wanted: str) -> None:
        """Open the wanted model in the background, unless one is being opened or this one has just failed."""
        with self._turn:
            failed = self._failure
            if self._opening is not None or self._closed or self._held.model.spec.fingerprint == wanted:
                return
            if failed is not None and failed.fingerprint == wanted and self._clock() - failed.at < RETRY_S:
                return
            self._failure = None
            self._opening = Thread(target=self._open, args=(wanted,), name="model", daemon=True)
            self._opening.start()

    def _await(self, wanted: str) -> None:
        """Wait until the wanted model is there, or none is being opened any more."""
        with self._turn:
            self._turn.wait_for(lambda: self._opening is None or self._held.model.spec.fingerprint == wanted)
            failed, closed = self._failure, self._closed
        if closed:
            raise EngineError("the engine is closed")
        if failed is not None and failed.fingerprint == wanted:
            raise EngineError(f"the engine in force cannot be opened here: {failed.reason}")

    def _open(self, wanted: str) -> None:
        """Open a model, put it in the place of the one that is there, and close that one when nobody holds it."""
        failure: _Failure | None = _Failure(wanted, "see the log", self._clock())
        try:
            self._replace(wanted)
            failure = None
        except ArthurError as error:
            log.error("model_failed", fingerprint=wanted, error=str(error))  # noqa: TRY400  # one line says it
            failure = _Failure(wanted, str(error), self._clock())
        finally:
            with self._turn:
                self._failure, self._opening = failure, None
                self._turn.notify_all()

    def _replace(self, wanted: str) -> None:
        if self._opened is None:
            return
        fresh, old = self._opened(wanted), self._held
        with suppress(StoreError):  # then its first search catches up, or does without the index
            fresh.catch_up()
        with self._turn:
            self._held = _Held(fresh)
            self._turn.notify_all()
            self._turn.wait_for(lambda: old.users == 0)
        log.info("model_replaced", engine=fresh.spec.label, before=old.model.spec.label)
        old.model.close()
