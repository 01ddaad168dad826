"""One engine with its index and its decision, and all that answers by them: taken as one, replaced as one."""

from __future__ import annotations

from collections.abc import Callable

from arthur.errors import StoreError
from arthur.recognition.asking import Asker
from arthur.recognition.enrolment import Preparation
from arthur.recognition.follower import Follower
from arthur.recognition.geometry import Geometry
from arthur.recognition.history import vector_history
from arthur.recognition.likeness import Likenesses
from arthur.recognition.matching import Matcher
from arthur.recognition.parts import Options, Parts
from arthur.recognition.searcher import Searcher


class Model:
    """What a request holds from its beginning to its end, so that it meets vectors of one engine only.

    Callable from any thread.

    Attributes:
        parts: it is made of; `close` closes those that are its own.
        follower: keeps its index equal to the catalog.
        search, match, ask, prepare, likenesses: what it can do.
    """

    def __init__(self, parts: Parts, options: Options, geometry: Geometry | None) -> None:
        self.parts = parts
        self.spec = parts.encoder.spec
        history = vector_history(parts.catalog, parts.index, fingerprint=self.spec.fingerprint)
        self.follower = Follower(parts.catalog, parts.index, history)
        self.search = Searcher(parts, self.follower)
        self.match = Matcher(parts, options, self.search, geometry)
        self.ask = Asker(parts, self.match, self.search)
        self.prepare = Preparation(parts, options, geometry)
        self.likenesses = Likenesses(parts, self.search, geometry)

    @property
    def close(self) -> Callable[[], None]:
        """Close the engine and the index."""
        return self.parts.close

    def sees_everything(self) -> bool:
        """Return whether the index has every view that the catalog has by now.

        An engine that is no longer in force has not: views that were put since have no vector of it.
        """
        try:
            latest = self.parts.catalog.latest()
            return self.follower.catch_up() >= latest
        except StoreError:
            return False
