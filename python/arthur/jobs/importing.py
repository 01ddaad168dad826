"""Imports a group of pictures: they are read, decoded and embedded together, and committed together."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from arthur.catalog import Catalog
from arthur.errors import ArthurError, EngineError, EngineUnavailable, HostUnavailable, Overloaded, StoreError
from arthur.jobs.items import Item
from arthur.recognition.answers import content_hash
from arthur.recognizer import Enrolment, Recognizer
from arthur.types import JobItem, Reject, Settlement, StoredView, Task

__all__ = ["GROUP", "GroupImport", "Import", "Patience"]

GROUP = 32
"""Pictures in a group: committed in one transaction."""
GROUP_BYTES = 64 * 2**20
"""Bytes of pictures that a thread holds before it commits what it has."""
_READ_AHEAD = 8
_FAULT_US = 5 * 10**6

Fault = (StoreError, Overloaded, EngineUnavailable)
"""What is no picture's own fault, so that it costs no picture a try."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often, and after how long, a picture is tried again whose failure may pass.

    Attributes:
        tries: after which it goes into quarantine.
        first_s: pause after the first; each further one is four times as long.
        chance: gives numbers in [0, 1), so that pictures of one host do not come back in step.
    """

    tries: int = 5
    first_s: float = 10.0
    chance: Callable[[], float] = random.random

    def pause_us(self, tries: int) -> int:
        """Return the pause after so many tries, at least one."""
        longest = self.first_s * 4.0 ** (tries - 1)
        return int(longest * (0.5 + self.chance() / 2) * 1e6)


@dataclass(frozen=True, slots=True)
class GroupImport:
    """What became of a group. `fault` says why a part of it was put off; "" if nothing was."""

    settlement: Settlement
    fault: str = ""


class Import:
    """Imports groups of one source. Callable from any thread.

    A picture that is there with the same content, metadata, engine and verifier is skipped. A group that a worker died
    over is imported anew, but for what was there before the job began: so whatever the catalogue's commit is followed
    by (thumbnails, works that look alike) is there in the end, and the counts are right.

    Args:
        read: returns the bytes of an item's picture.
        readers: threads that read pictures side by side.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        catalog: Catalog,
        *,
        read: Callable[[Item], bytes],
        readers: Executor,
        patience: Patience = Patience(),
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._recognizer = recognizer
        self._catalog = catalog
        self._read = read
        self._readers = readers
        self._patience = patience
        self._clock_ns = clock_ns

    def __call__(self, task: Task, stopped: Callable[[], bool] = lambda: False) -> GroupImport:
        """Import a group. Once `stopped` says True nothing more is read, and the rest is put off."""
        items = [Item.unpacked(row) for row in task.items]
        run = _Run(self._patience, self._clock_ns() // 1000)
        since = datetime.fromtimestamp((task.job.begun_us or task.job.created_us) / 1e6, UTC) if task.tries else None
        fresh: list[tuple[Item, Enrolment]] = []
        for part in _parts(items, _READ_AHEAD):
            if run.fault or stopped():
                run.put_off(part)
                continue
            for item, image in zip(part, self._readers.map(self._outcome, part), strict=True):
                if isinstance(image, ArthurError):
                    run.failed(item, image)
                elif (known := self._known(item, image, since)) is False:
                    fresh.append((item, Enrolment(item.view, image, item.source, item.metadata)))
                elif known is True:
                    run.skipped += 1
                else:
                    run.failed(item, known)
            if sum(len(enrolment.image) for _, enrolment in fresh) >= GROUP_BYTES:
                self._enroll(fresh, run)
                fresh = []
        self._enroll(fresh, run)
        return GroupImport(run.settlement, run.fault)

    def _outcome(self, item: Item) -> bytes | ArthurError:
        try:
            return self._read(item)
        except ArthurError as error:
            return error

    def _known(self, item: Item, image: bytes, since: datetime | None) -> bool | StoreError:
        try:
            return self._is_done(item, image, since)
        except StoreError as error:
            return error

    def _is_done(self, item: Item, image: bytes, since: datetime | None) -> bool:
        """Return whether the catalogue has this picture with this metadata, and all that is made of it.

        What was put `since` a job began whose worker died over it does not count.
        """
        stored = self._catalog.view(item.view)
        return (
            stored is not None
            and (since is None or stored.updated_at < since)
            and _is_same(stored, item, image)
            and self._recognizer.knows(stored)
        )

    def _enroll(self, fresh: Sequence[tuple[Item, Enrolment]], run: _Run) -> None:
        """Enroll together and note the outcomes; what the catalog refuses, one by one, so that the culprit is found."""
        if not fresh:
            return
        try:
            results = self._recognizer.enroll_many([enrolment for _, enrolment in fresh])
        except ArthurError as error:
            if len(fresh) > 1 and not isinstance(error, Fault):
                for one in fresh:
                    self._enroll([one], run)
                return
            results = [error] * len(fresh)
        for (item, _), result in zip(fresh, results, strict=True):
            if isinstance(result, ArthurError):
                run.failed(item, result)
            else:
                run.imported += 1


@dataclass(slots=True)
class _Run:
    """What has become of a group so far."""

    patience: Patience
    now_us: int
    imported: int = 0
    skipped: int = 0
    rejects: list[Reject] = field(default_factory=list)
    again: list[tuple[JobItem, int]] = field(default_factory=list)
    fault: str = ""

    @property
    def settlement(self) -> Settlement:
        """All of it, what is tried again in order of its time."""
        again = sorted(self.again, key=lambda one: one[1])
        return Settlement(self.imported, self.skipped, tuple(self.rejects), tuple(again))

    def put_off(self, items: Iterable[Item], pause_us: int = 0) -> None:
        """Leave items for later; that counts as no try."""
        self.again.extend((item.packed(), self.now_us + pause_us) for item in items)

    def failed(self, item: Item, error: ArthurError) -> None:
        """Note a failure: of the service, one to be tried again, or a final one."""
        tries = item.tries + 1
        if isinstance(error, Fault):
            self.fault = str(error)
            self.put_off([item], _FAULT_US)
        elif isinstance(error, HostUnavailable | EngineError) and tries < self.patience.tries:
            self.again.append((item.anew(tries).packed(), self.now_us + self.patience.pause_us(tries)))
        else:
            reason = f"{error} (tried {tries} times)" if item.tries else str(error)
            self.rejects.append(Reject(item.place, reason, item.anew().packed()))


def _is_same(stored: StoredView, item: Item, image: bytes) -> bool:
    return stored.content_hash == content_hash(image) and dict(stored.metadata) == dict(item.metadata)


def _parts(items: Sequence[Item], size: int) -> Iterable[list[Item]]:
    stream = iter(items)
    while part := list(islice(stream, size)):
        yield part
