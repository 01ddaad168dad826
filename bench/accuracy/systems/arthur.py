"""Arthur as it is installed: the assembled recogniser on a data folder of its own, decoding included."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from arthur.assemble import Arthur, open_arthur
from arthur.config import load_settings
from arthur.errors import ArthurError
from arthur.recognizer import Enrolment
from arthur.types import Query, Recognition, VerifyMode, ViewId
from bench.accuracy.exam import Work
from bench.accuracy.systems import DEPTH, Answer

_BATCH = 256
"""Works enrolled in one transaction."""


class Installation:
    """One Arthur, which several systems ask in different ways; works are enrolled once for all of them."""

    def __init__(self, engine: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="arthur-accuracy-")
        self._enrolled: set[str] = set()
        self._users = 0
        # No cache: the second way to ask would be answered from the first. No thumbnails: only what recognition needs.
        settings = load_settings(
            data=Path(self._folder.name), engine=engine, engine_threads=1, cache="none:", thumbnail_side=0
        )
        self._arthur: Arthur = open_arthur(settings)

    def recognize(self, photo: bytes, query: Query) -> Recognition:
        """See Recognizer.recognize."""
        return self._arthur.recognizer.recognize(photo, query)

    def enroll(self, works: Sequence[Work]) -> None:
        """See System.enroll."""
        new = [work for work in works if work.name not in self._enrolled]
        for first in range(0, len(new), _BATCH):
            batch = new[first : first + _BATCH]
            for outcome in self._arthur.recognizer.enroll_many([_enrolment(work) for work in batch]):
                if isinstance(outcome, ArthurError):
                    raise outcome
            self._enrolled.update(work.name for work in batch)

    def forget(self, names: Collection[str]) -> None:
        """See System.forget."""
        for name in self._enrolled.intersection(names):
            self._arthur.recognizer.forget(*name.split("/", 1))
            self._enrolled.remove(name)

    def stored_bytes(self) -> int:
        """Return the size of the data folder after what is in memory was written to it."""
        self._arthur.recognizer.reindex()
        return sum(path.stat().st_size for path in Path(self._folder.name).rglob("*") if path.is_file())

    def used(self) -> Installation:
        """Count one more user; the last one who closes it ends it."""
        self._users += 1
        return self

    def close(self) -> None:
        """Count one user less."""
        self._users -= 1
        if self._users == 0:
            self._arthur.close()
            self._folder.cleanup()


class ArthurSystem:
    """Arthur asked in one way. See System."""

    def __init__(self, installation: Installation, verify: VerifyMode) -> None:
        self._installation: Installation | None = installation.used()
        self._parts = installation
        self._query = Query(k=DEPTH, verify=verify)

    def enroll(self, works: Sequence[Work]) -> None:
        """See System.enroll."""
        self._parts.enroll(works)

    def forget(self, names: Collection[str]) -> None:
        """See System.forget."""
        self._parts.forget(names)

    def query(self, photo: bytes) -> Answer:
        """See System.query. Thresholds are put on the probability."""
        found = self._parts.recognize(photo, self._query)
        ranked = tuple((f"{match.view.artist_id}/{match.view.entry_id}", match.score) for match in found.matches)
        return Answer(ranked, found.probability, found.decision, found.probability)

    def stored_bytes(self) -> int:
        """See System.stored_bytes."""
        return self._parts.stored_bytes()

    def close(self) -> None:
        """See System.close."""
        if self._installation is not None:
            self._installation.close()
            self._installation = None


def _enrolment(work: Work) -> Enrolment:
    return Enrolment(ViewId(work.artist, work.entry, "main"), work.path.read_bytes())
