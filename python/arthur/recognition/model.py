"""One engine with its index and its decision, and all that answers by them: taken as one, replaced as one."""

from __future__ import annotations

import structlog

from arthur.errors import StoreError
from arthur.recognition.asking import Asker
from arthur.recognition.enrolment import Preparation
from arthur.recognition.follower import Follower
from arthur.recognition.geometry import Geometry
from arthur.recognition.history import vector_history
from arthur.recognition.likeness import Likenesses
from arthur.recognition.matching import Matcher
from arthur.recognition.parts import ClearableIndex, Options, Parts
from arthur.recognition.searcher import Searcher
from arthur.recognition.standby import MOST_BEHIND, Standby

log = structlog.get_logger(__name__)


class Model:
    """What a request holds from its beginning to its end, so that it meets vectors of one engine only.

    Callable from any thread.

    Attributes:
        parts: it is made of; `close` closes those that are its own.
        follower: keeps its index equal to the catalog.
        standby: answers while the index fails; None without one.
        search, match, ask, prepare, likenesses: what it can do.
    """

    def __init__(self, parts: Parts, options: Options, geometry: Geometry | None) -> None:
        self.parts = parts
        self.spec = parts.encoder.spec
        history = vector_history(parts.catalog, parts.index, fingerprint=self.spec.fingerprint)
        self.follower = Follower(parts.catalog, parts.index, history)
        self.standby = None
        if parts.standby is not None:
            fingerprint = self.spec.fingerprint
            self.standby = Standby(parts.standby, parts.catalog, fingerprint=fingerprint, original=self.follower)
        self.search = Searcher(parts, self.follower, self.standby, scans=options.scans)
        self.match = Matcher(parts, options, self.search, geometry)
        self.ask = Asker(parts, self.match, self.search)
        self.prepare = Preparation(parts, options, geometry)
        self.likenesses = Likenesses(parts, self.search, geometry)

    def close(self) -> None:
        """Close the engine and its indices."""
        if self.standby is not None:
            self.standby.close()
        self.parts.close()

    @property
    def followers(self) -> list[tuple[Follower, ClearableIndex]]:
        """Each index of the engine's vectors with the follower that keeps it equal to the catalog."""
        mine = [(self.follower, self.parts.index)]
        if self.standby is not None and self.parts.standby is not None:
            mine.append((self.standby.follower, self.parts.standby))
        return mine

    def catch_up(self) -> None:
        """Bring the index up to date, and the one that stands in for it.

        Raises:
            StoreError: the one that is to be asked could not be.
        """
        if self.standby is None:
            self.follower.catch_up()
            return
        if not self.standby.in_charge:
            try:
                self.follower.catch_up(within=MOST_BEHIND)
            except StoreError as error:
                self.standby.take_over(error)
        try:
            self.standby.follower.catch_up()
        except StoreError as error:
            if self.standby.in_charge:
                raise
            log.error("standby_failed", error=str(error))  # noqa: TRY400  # one line says it

    def sees_everything(self) -> bool:
        """Return whether the index has every view that the catalog has by now.

        An engine that is no longer in force has not: views that were put since have no vector of it.
        """
        try:
            latest = self.parts.catalog.latest()
            return self.follower.catch_up() >= latest
        except StoreError:
            return False
