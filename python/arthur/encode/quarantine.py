"""Pictures on which an engine failed while their neighbours passed: kept out of its batches for a while."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

import numpy as np
from blake3 import blake3

from arthur.errors import EngineError
from arthur.types import Pixels

HOLD_S = 60.0
_MOST = 1024


class Quarantine:
    """Remembers pictures by the BLAKE3 of their pixels. Callable from any thread.

    A picture that breaks a batch costs all in it a second run. Whoever sends the same one again, as clients that retry
    do, is told so at once, until `hold_s` seconds have passed. The newest 1024 are remembered.
    """

    def __init__(self, *, hold_s: float = HOLD_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._hold_s = hold_s
        self._clock = clock
        self._lock = Lock()
        self._until: OrderedDict[bytes, tuple[float, str]] = OrderedDict()

    def __len__(self) -> int:
        """How many are remembered, those whose time is over included."""
        return len(self._until)

    def put(self, pixels: Pixels, why: BaseException) -> None:
        """Keep these pixels out from now on; `why` is what the engine said of them."""
        name = _name(pixels)
        with self._lock:
            self._until[name] = (self._clock() + self._hold_s, str(why))
            self._until.move_to_end(name)
            if len(self._until) > _MOST:
                self._until.popitem(last=False)

    def check(self, pixels: Pixels) -> None:
        """Pass what is not kept out. Costs nothing while nothing is.

        Raises:
            EngineError: the engine failed on these very pixels a short while ago.
        """
        if not self._until:
            return
        name = _name(pixels)
        with self._lock:
            until, why = self._until.get(name, (0.0, ""))
            if self._clock() < until:
                raise EngineError(f"{why} (this picture is held back: it broke a batch within the last minute)")
            self._until.pop(name, None)


def _name(pixels: Pixels) -> bytes:
    return blake3(np.ascontiguousarray(pixels).data).digest()
