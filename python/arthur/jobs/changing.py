"""Moves a catalogue from one engine to another while it is in use.

Everything is made ready beside what is in force: vectors, then the index. The switch is one transaction of the catalog,
which goes through only when no live view lacks its vector. Views that are written meanwhile are followed until then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import numpy as np

from arthur.errors import ConfigError, Conflict
from arthur.jobs.embedding import Embedding, Tally, Throttle
from arthur.recognition.follower import Follower, Progress
from arthur.recognition.history import Step, vector_history
from arthur.recognition.parts import Parts

ROUNDS = 200
"""How often the switch is tried while others write."""
FRESH = timedelta(seconds=10)
"""Age up to which a view's picture may still be on its way: it is stored after the catalog's commit."""
WAIT_S = 0.05


class ModelChange:
    """One change to the engine of `parts`, which are not in force yet. Belongs to one thread.

    Args:
        parts: the engine, its index, and what it shares with the one in force.
        threads: that read pictures.
        throttle: keeps the work to a rate.
        sleep: waits for pictures that are still on their way.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        threads: int = 2,
        throttle: Throttle | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._parts = parts
        self._spec = parts.encoder.spec
        self._embed = Embedding(parts, threads=threads, throttle=throttle)
        self._catch_up = Embedding(parts, threads=threads)
        self._sleep = sleep
        self.tally = Tally()

    def embed(self, progress: Callable[[Progress], None]) -> None:
        """Give every live view a vector of the engine.

        Raises:
            ConfigError: views have no picture to be embedded from, or the engine fails at theirs.
            StoreError: the catalog or the blob store does not answer, or the disk is full.
        """
        self._complete(self._embed, progress)

    def index(self, progress: Callable[[Progress], None]) -> int:
        """Bring the engine's own index up to date and onto the disk; return how many views it holds.

        Raises:
            StoreError: the catalog or the index failed.
        """
        catalog, index = self._parts.catalog, self._parts.index
        history = vector_history(catalog, index, fingerprint=self._spec.fingerprint)

        def watched(since: int, limit: int) -> Step:
            step = history(since, limit)
            progress(Progress("index", step.upto, max(catalog.latest(), step.upto)))
            return step

        Follower(catalog, index, watched).catch_up()
        index.checkpoint()
        return len(index)

    def switch(self) -> None:
        """Put the engine in force, after embedding what was written meanwhile.

        Raises:
            Conflict: the catalogue has no views, or views are written faster than they can be embedded.
            ConfigError, StoreError: see embed.
        """
        for _ in range(ROUNDS):
            self._complete(self._catch_up, lambda _: None)
            if not self._parts.catalog.switch(self._spec.fingerprint):
                return
        raise Conflict("views are written faster than the new engine embeds them; try again when fewer are")

    def _complete(self, embed: Embedding, progress: Callable[[Progress], None]) -> None:
        """Embed until no view is left but those that were written after the last look."""
        while True:
            failed = embed(progress, self.tally).failed
            if not failed:
                return
            self._judge(failed)
            self._sleep(WAIT_S)

    def _judge(self, failed: Mapping[int, tuple[str, str]]) -> None:
        """Return if every view that failed is gone, or so young that its picture may be on its way.

        Raises:
            ConfigError: one is neither.
        """
        live = self._parts.catalog.views(np.array(list(failed), np.int64))
        now = datetime.now(UTC)
        lasting = [key for key, stored in live.items() if now - stored.updated_at > FRESH]
        if lasting:
            name, reason = failed[min(lasting)]
            raise ConfigError(
                f"{self._spec.label} cannot embed {len(lasting)} of the views looked at (the first is {name}: {reason})"
                f"; enroll them anew or remove them, and run this again; the engine in force stays"
            )
