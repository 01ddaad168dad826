"""Loads on an engine through its queue: clients that wait for their answers, and pictures that just come."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np

from arthur.encode.batch import Batched
from arthur.errors import Overloaded
from arthur.types import Pixels, Vectors

_LATEST_S = 60.0
"""How long answers are waited for after the last picture came."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What a load brought.

    Attributes:
        latencies_ms: of every picture that was answered.
        per_s: pictures answered a second.
        refused: pictures for which the queue had no place.
    """

    latencies_ms: Sequence[float]
    per_s: float
    refused: int = 0

    def quantile_ms(self, share: float) -> float:
        """Return the latency that this share of the pictures did not exceed; infinite where one was refused."""
        if self.refused or not self.latencies_ms:
            return float("inf")
        return float(np.quantile(self.latencies_ms, share))


def closed_load(engine: Batched, pictures: Pixels, *, clients: int, seconds: float) -> Observed:
    """Let `clients` threads ask for one picture after the other, each when its last one was answered."""
    begun = time.perf_counter()
    end = begun + seconds

    def ask(client: int) -> list[float]:
        picture = pictures[client % len(pictures)][None]
        waited = []
        while (asked := time.perf_counter()) < end:
            engine.encode(picture)
            waited.append((time.perf_counter() - asked) * 1000)
        return waited

    with ThreadPoolExecutor(clients) as pool:
        latencies = [one for waited in pool.map(ask, range(clients)) for one in waited]
    return Observed(latencies, len(latencies) / (time.perf_counter() - begun))


def open_load(engine: Batched, pictures: Pixels, *, per_s: float, seconds: float, seed: int) -> Observed:
    """Let pictures come at random, `per_s` a second on average, whether or not those before were answered.

    Latencies count from the moment at which a picture was to come, so a generator that falls behind hides nothing.

    Raises:
        EngineError: the engine failed.
    """
    gaps = np.random.default_rng(seed).exponential(1 / per_s, max(1, round(per_s * seconds)))
    done: dict[Future[Vectors], float] = {}
    futures: list[tuple[float, Future[Vectors]]] = []

    def note(future: Future[Vectors]) -> None:
        done[future] = time.perf_counter()

    refused = 0
    begun = time.perf_counter()
    for place, due in enumerate(begun + np.cumsum(gaps)):
        time.sleep(max(0.0, due - time.perf_counter()))
        try:
            future = engine.submit(pictures[place % len(pictures)][None])
        except Overloaded:
            refused += 1
            continue
        future.add_done_callback(note)
        futures.append((due, future))
    answered = wait([future for _, future in futures], timeout=_LATEST_S).done
    for future in answered:
        future.result()
    latencies = [(done[future] - due) * 1000 for due, future in futures if future in answered]
    last = max(done.values(), default=begun)
    return Observed(latencies, len(latencies) / max(last - begun, seconds), refused + len(futures) - len(latencies))
