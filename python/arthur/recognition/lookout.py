"""Looks out for an engine that is about to be put in force, so that this process has it open by then.

Whoever changes engines puts a sign up and renews it; each process opens the engine beside the one in force and tells
how far it is, in a sign of its own. Both are believed only while they change, by the clock of who reads them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from arthur.catalog.signs import Signs

__all__ = ["CALL", "REPORTS", "STALE_S", "Lookout", "Seen"]

CALL, REPORTS = "coming/call", "coming/at/"
STALE_S = 15.0
"""Time after which a sign that does not change counts no more: who put it up is gone."""


@dataclass(slots=True)
class Seen:
    """When each sign last changed, by this process's clock."""

    clock: Callable[[], float] = time.monotonic
    _texts: dict[str, tuple[str, float]] = field(default_factory=dict)

    def fresh(self, name: str, text: str) -> bool:
        """Note what a sign says; return whether it has changed of late."""
        known, at = self._texts.get(name, ("", 0.0))
        if known != text:
            at = self.clock()
            self._texts[name] = (text, at)
        return self.clock() - at < STALE_S


class Lookout:
    """Keeps a process prepared. Belongs to one thread.

    Args:
        signs: of the catalogue.
        prepare: opens the engine of that fingerprint in the background ("" for none) and returns how far that is.
        who: name of this process among all on the catalogue.
    """

    def __init__(
        self, signs: Signs, prepare: Callable[[str], str], *, who: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._signs = signs
        self._prepare = prepare
        self._who = who
        self._seen = Seen(clock)
        self._looks = 0

    def look(self) -> None:
        """Prepare for what is announced, and tell how far that is. To be called about once a second.

        Raises:
            StoreError: the catalogue does not answer.
        """
        call = self._signs.under(CALL).get(CALL, "")
        coming = json.loads(call)["fingerprint"] if call and self._seen.fresh(CALL, call) else ""
        state = self._prepare(coming)
        if coming:
            self._looks += 1
            told = {"fingerprint": coming, "state": state, "look": self._looks}
            self._signs.put(REPORTS + self._who, json.dumps(told))
