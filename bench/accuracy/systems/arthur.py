"""Arthur as it is installed: the assembled recogniser on a data folder of its own, decoding included."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from arthur.assemble import Arthur, open_arthur
from arthur.calibration.kept import calibration_note
from arthur.calibration.operation import Workshop, calibrate_catalogue, document
from arthur.config import load_settings
from arthur.errors import ArthurError
from arthur.recognizer import Enrolment
from arthur.types import Query, Recognition, VerifyMode, ViewId
from bench.accuracy.exam import Work
from bench.accuracy.systems import DEPTH, Answer
from bench.accuracy.systems.snapshots import Snapshots

_BATCH = 256
"""Works enrolled in one transaction."""
_PHOTOS = 1500
"""Photos that a calibration simulates, as many as `arthur calibrate` does."""


class Installation:
    """One Arthur, which several systems ask in different ways; works are enrolled once for all of them."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="arthur-accuracy-")
        self._data = Path(self._temporary.name) / "data"
        self._snapshots = snapshots
        self._enrolled: dict[str, Work] = {}
        self._users = 0
        self._arthur = self._open()

    def recognize(self, photo: bytes, query: Query) -> Recognition:
        """See Recognizer.recognize."""
        return self._arthur.recognizer.recognize(photo, query)

    def calibrate(self) -> Arthur:
        """Do what `arthur calibrate` does, and return an Arthur of its own that was opened afterwards."""
        arthur = self._arthur
        fingerprint, verifier = arthur.encoder.spec.fingerprint, arthur.recognizer.verifier or ""
        workshop = Workshop(arthur.recognizer, arthur.catalog, arthur.blobs, fingerprint, verifier)
        fitted, _ = calibrate_catalogue(workshop, photos=_PHOTOS, seed=1, progress=lambda _progress: None)
        arthur.catalog.put_note(calibration_note(fingerprint), document(fitted))
        return self._open()

    def enroll(self, works: Sequence[Work]) -> int:
        """See System.enroll. A catalogue that an earlier run has enrolled is taken from its snapshot."""
        new = [work for work in works if work.name not in self._enrolled]
        self._enrolled |= {work.name: work for work in new}
        large = len(new) >= self._snapshots.least
        if large and self._loaded():
            return 0
        for first in range(0, len(new), _BATCH):
            batch = [_enrolment(work) for work in new[first : first + _BATCH]]
            for outcome in self._arthur.recognizer.enroll_many(batch):
                if isinstance(outcome, ArthurError):
                    raise outcome
        if large:
            self._keep()
        return len(new)

    def forget(self, names: Collection[str]) -> None:
        """See System.forget."""
        for name in names:
            if self._enrolled.pop(name, None) is not None:
                self._arthur.recognizer.forget(*name.split("/", 1))

    def stored_bytes(self) -> int:
        """Return the size of the data folder after what is in memory was written to it."""
        self._arthur.recognizer.reindex()
        return sum(path.stat().st_size for path in self._data.rglob("*") if path.is_file())

    def used(self) -> Installation:
        """Count one more user; the last one who closes it ends it."""
        self._users += 1
        return self

    def close(self) -> None:
        """Count one user less."""
        self._users -= 1
        if self._users == 0:
            self._arthur.close()
            self._temporary.cleanup()

    def _open(self) -> Arthur:
        # No cache: the second way to ask would be answered from the first.
        engine = self._snapshots.engine
        settings = load_settings(data=self._data, engine=engine, engine_threads=1, cache="none:")
        return open_arthur(settings)

    def _loaded(self) -> bool:
        """Take the enrolled works from their snapshot, if there is one."""
        self._arthur.close()
        loaded = self._snapshots.load(self._enrolled.values(), self._data)
        self._arthur = self._open()
        return loaded

    def _keep(self) -> None:
        self._arthur.close()
        self._snapshots.keep(list(self._enrolled.values()), self._data)
        self._arthur = self._open()


class ArthurSystem:
    """Arthur asked in one way. See System."""

    def __init__(self, installation: Installation, verify: VerifyMode) -> None:
        self._installation: Installation | None = installation.used()
        self._parts = installation
        self._query = Query(k=DEPTH, verify=verify)

    def enroll(self, works: Sequence[Work]) -> int:
        """See System.enroll."""
        return self._parts.enroll(works)

    def settle(self) -> None:
        """See System.settle."""

    def forget(self, names: Collection[str]) -> None:
        """See System.forget."""
        self._parts.forget(names)

    def query(self, photo: bytes) -> Answer:
        """See System.query. Thresholds are put on the probability."""
        return _answer(self._recognize(photo))

    def _recognize(self, photo: bytes) -> Recognition:
        return self._parts.recognize(photo, self._query)

    def stored_bytes(self) -> int:
        """See System.stored_bytes."""
        return self._parts.stored_bytes()

    def close(self) -> None:
        """See System.close."""
        if self._installation is not None:
            self._installation.close()
            self._installation = None


class CalibratedSystem(ArthurSystem):
    """Arthur after `arthur calibrate` on the enrolled catalogue: a second one on the same data folder.

    Until it is settled it answers as Arthur without a calibration does.
    """

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation, "auto")
        self._calibrated: Arthur | None = None

    def settle(self) -> None:
        """See System.settle."""
        self._close_own()
        self._calibrated = self._parts.calibrate()

    def close(self) -> None:
        """See System.close."""
        self._close_own()
        super().close()

    def _recognize(self, photo: bytes) -> Recognition:
        if self._calibrated is None:
            return super()._recognize(photo)
        return self._calibrated.recognizer.recognize(photo, self._query)

    def _close_own(self) -> None:
        if self._calibrated is not None:
            self._calibrated.close()
            self._calibrated = None


def _answer(found: Recognition) -> Answer:
    ranked = tuple((f"{match.view.artist_id}/{match.view.entry_id}", match.score) for match in found.matches)
    return Answer(ranked, found.probability, found.decision, found.probability)


def _enrolment(work: Work) -> Enrolment:
    return Enrolment(ViewId(work.artist, work.entry, "main"), work.path.read_bytes())
