"""The model in force: taken by each request, and replaced when the catalog names another engine.

The catalog says in one transaction which engine is in force. Whoever takes a model asks it, which costs microseconds.
When the answer is new, the new model is opened beside the old one by a thread of its own; until it is there, the old
one goes on answering while it can see all that the catalog has. It is closed when the last request that holds it ended.
A model can also be opened before its engine is in force, so that nobody waits for it then: see `foresee`.
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

LOADING, READY = "loading", "ready"
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
        self._spare: Model | None = None
        self._opening: Thread | None = None
        self._retiring: list[Thread] = []
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

    def foresee(self, coming: str) -> str:
        """Open, in the background, the model in force, or else that of the engine which is `coming`; "" is none.

        To be called now and then. What was opened for an engine that is no longer coming is closed.

        Returns:
            How far that is: LOADING, READY, or why the engine cannot be opened.

        Raises:
            StoreError: the catalog does not answer.
        """
        wanted = (self._catalog.engine() if self._opened is not None else "") or self._held.model.spec.fingerprint
        if wanted != self._held.model.spec.fingerprint:
            self._begin(wanted)
            return self._progress(wanted)
        if coming in ("", wanted):
            self._drop_spare()
            return READY
        self._begin(coming, in_force=False)
        return self._progress(coming)

    def close(self) -> None:
        """Close the model, after a change of models that is under way has ended. Closing twice is allowed."""
        with self._turn:
            self._closed = True
            opening = self._opening
        if opening is not None:
            opening.join()
        for retiring in self._retiring:
            retiring.join()
        self._drop_spare()
        self._held.model.close()

    def _claimed(self, *, writing: bool) -> _Held:
        while True:
            wanted = self._catalog.engine() if self._opened is not None else ""
            held = self._hold()
            if wanted in ("", held.model.spec.fingerprint):
                return held
            self._begin(wanted)
            if self._held is held and not writing and held.model.sees_everything():
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

    def _begin(self, wanted: str, *, in_force: bool = True) -> None:
        """Put the wanted model in place if it is open; else open it in the background, unless that was just tried."""
        with self._turn:
            failed = self._failure
            if self._opening is not None or self._closed or self._held.model.spec.fingerprint == wanted:
                return
            if self._spare is not None and self._spare.spec.fingerprint == wanted:
                if in_force:
                    self._exchange(self._spare)
                return
            if failed is not None and failed.fingerprint == wanted and self._clock() - failed.at < RETRY_S:
                return
            self._failure = None
            self._opening = Thread(target=self._open, args=(wanted,), name="model", daemon=True)
            self._opening.start()

    def _progress(self, wanted: str) -> str:
        """Return how far a model is; see foresee."""
        with self._turn:
            if wanted in [model.spec.fingerprint for model in (self._held.model, self._spare) if model is not None]:
                return READY
            failed = self._failure
            return failed.reason if failed is not None and failed.fingerprint == wanted else LOADING

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
        """Open a model beside the one that is there, and put it in place if its engine is in force."""
        failure: _Failure | None = _Failure(wanted, "see the log", self._clock())
        try:
            self._warm(wanted)
            failure = None
        except ArthurError as error:
            log.error("model_failed", fingerprint=wanted, error=str(error))  # noqa: TRY400  # one line says it
            failure = _Failure(wanted, str(error), self._clock())
        finally:
            with self._turn:
                self._failure, self._opening = failure, None
                self._turn.notify_all()
        with suppress(StoreError):  # then the next request does it
            if self._catalog.engine() == wanted:
                self._begin(wanted)

    def _warm(self, wanted: str) -> None:
        """Open a model, run its engine once and bring its index up to date, and keep it at hand.

        Raises:
            ArthurError: it cannot be opened, or does not embed.
        """
        if self._opened is None:
            return
        fresh = self._opened(wanted)
        try:
            fresh.parts.canary()
        except ArthurError:
            fresh.close()
            raise
        with suppress(StoreError):  # then its first search catches up, or does without the index
            fresh.catch_up()
        self._drop_spare()
        with self._turn:
            self._spare = fresh

    def _exchange(self, fresh: Model) -> None:
        """Put an open model in the place of the one that is there; the caller holds the turn."""
        old, self._held, self._spare = self._held, _Held(fresh), None
        self._retiring = [thread for thread in self._retiring if thread.is_alive()]
        self._retiring.append(Thread(target=self._retire, args=(old,), name="model-before", daemon=True))
        self._retiring[-1].start()
        self._turn.notify_all()
        log.info("model_replaced", engine=fresh.spec.label, before=old.model.spec.label)

    def _retire(self, old: _Held) -> None:
        """Close a model when nobody holds it."""
        with self._turn:
            self._turn.wait_for(lambda: old.users == 0)
        old.model.close()

    def _drop_spare(self) -> None:
        """Close the model that is open beside the one in place, if there is one."""
        with self._turn:
            spare, self._spare = self._spare, None
        if spare is not None:
            spare.close()
