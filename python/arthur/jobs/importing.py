"""Imports a source: pictures are read, decoded and embedded by several threads, and committed in groups."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TypeAlias

from arthur.catalog import Catalog
from arthur.errors import ArthurError, ImageTooLarge, InvalidImage
from arthur.jobs.sources import Item, Refused
from arthur.recognition.answers import content_hash
from arthur.recognizer import Enrolment, Recognizer

GROUP = 32
"""Items committed in one transaction at most."""
GROUP_BYTES = 64 * 2**20
"""Bytes of pictures a thread holds before it commits what it has."""

Result: TypeAlias = Literal["imported", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one place of the source. `detail` says why it failed."""

    place: str
    result: Result
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads pictures from files and URLs.

    Attributes:
        fetch: returns the bytes at a URL, or raises an ArthurError.
        max_bytes: a larger file is not read.
    """

    fetch: Callable[[str], bytes]
    max_bytes: int

    def __call__(self, item: Item) -> bytes:
        """Return the bytes of the item's picture.

        Raises:
            ArthurError: it cannot be fetched, is no readable file, or is too large.
        """
        if item.file is None:
            return self.fetch(item.source)
        try:
            if not item.file.is_file():
                raise InvalidImage(f"there is no file {item.source}")
            if item.file.stat().st_size > self.max_bytes:
                raise ImageTooLarge(f"{item.source} is larger than {self.max_bytes} bytes")
            return item.file.read_bytes()
        except (OSError, ValueError) as error:
            raise InvalidImage(f"{item.source} cannot be read: {error}") from error


class Importer:
    """Imports items; run again over the same source it skips what is already there with the same content.

    A view that another engine or verifier looked at is imported again.

    Args:
        threads: groups worked on at the same time.
    """

    def __init__(self, recognizer: Recognizer, catalog: Catalog, *, read: Reader, threads: int = 2) -> None:
        self._recognizer = recognizer
        self._catalog = catalog
        self._read = read
        self._threads = threads

    def __call__(
        self,
        items: Iterable[Item | Refused],
        report: Callable[[Outcome], None],
        *,
        stopped: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Import the items in groups and report each outcome, from this thread, in the order of the source.

        Only a few groups are in memory at a time. Before each group `stopped` is asked; once it says True no further
        group begins. Groups in work are finished and reported, also when it ends by an error, so everything that was
        written is known. Of two items with one name either may come last.

        Returns:
            Whether it came to the end of the source.

        Raises:
            StoreError, Overloaded: the catalog cannot write, or the engine is in use by others; the rest was not tried.
            BadRequest: the source turned out to be malformed.
        """
        pending: deque[Future[list[Outcome]]] = deque()
        with ThreadPoolExecutor(self._threads, thread_name_prefix="import") as pool:
            try:
                for group in _groups(items):
                    if stopped():
                        return False
                    pending.append(pool.submit(self._import, group))
                    if len(pending) > self._threads:
                        _settle(pending, report)
            except BaseException:
                for future in pending:
                    future.cancel()
                raise
            finally:
                while pending:
                    _settle(pending, report)
        return True

    def _import(self, group: list[Item | Refused]) -> list[Outcome]:
        """Read a group and enroll what is new, in parts of bounded size."""
        outcomes: dict[str, Outcome] = {}
        fresh: list[tuple[Item, Enrolment]] = []
        for item in group:
            outcome = self._examined(item)
            if isinstance(outcome, Outcome):
                outcomes[item.place] = outcome
                continue
            fresh.append(outcome)
            if sum(len(enrolment.image) for _, enrolment in fresh) >= GROUP_BYTES:
                outcomes.update(self._enrolled(fresh))
                fresh = []
        outcomes.update(self._enrolled(fresh))
        return [outcomes[item.place] for item in group]

    def _examined(self, item: Item | Refused) -> Outcome | tuple[Item, Enrolment]:
        """Read an item; give its outcome if there is nothing to enroll."""
        if isinstance(item, Refused):
            return Outcome(item.place, "failed", item.reason)
        try:
            image = self._read(item)
        except ArthurError as error:
            return Outcome(item.place, "failed", str(error))
        if self._is_known(item, image):
            return Outcome(item.place, "skipped")
        return item, Enrolment(item.view, image, item.source, item.metadata)

    def _is_known(self, item: Item, image: bytes) -> bool:
        """Return whether the catalogue has this picture with this metadata, and all that is made of it."""
        stored = self._catalog.view(item.view)
        return (
            stored is not None
            and stored.content_hash == content_hash(image)
            and dict(stored.metadata) == dict(item.metadata)
            and self._recognizer.knows(stored)
        )

    def _enrolled(self, fresh: list[tuple[Item, Enrolment]]) -> dict[str, Outcome]:
        """Enroll together and give the outcomes by place."""
        results = self._recognizer.enroll_many([enrolment for _, enrolment in fresh]) if fresh else []
        return {
            item.place: Outcome(item.place, "failed", str(result))
            if isinstance(result, ArthurError)
            else Outcome(item.place, "imported")
            for (item, _), result in zip(fresh, results, strict=True)
        }


def _groups(items: Iterable[Item | Refused]) -> Iterator[list[Item | Refused]]:
    stream = iter(items)
    while group := list(islice(stream, GROUP)):
        yield group


def _settle(pending: deque[Future[list[Outcome]]], report: Callable[[Outcome], None]) -> None:
    """Wait for the oldest group and report it, unless it was cancelled."""
    future = pending.popleft()
    if not future.cancelled():
        for outcome in future.result():
            report(outcome)
