"""What `arthur engines tune` found, where it says something about this machine."""

from __future__ import annotations

from dataclasses import dataclass

from arthur.encode.runners import cpu_model
from arthur.encode.spec import EngineFile, Tuning
from arthur.processors import usable_cores


def tuning_here(facts: EngineFile) -> Tuning | None:
    """Return how the engine runs best on this machine; None where it was not tuned on one like it."""
    tuning = facts.tuning
    return tuning if tuning and (tuning.cpu, tuning.cores) == (cpu_model(), usable_cores()) else None


@dataclass(frozen=True, slots=True)
class Running:
    """How an engine runs: as the settings `engine_threads`, `batch_max` and `batch_wait_ms`."""

    threads: int
    batch_max: int
    batch_wait_ms: float


def running(facts: EngineFile, *, threads: int | None, batch_max: int | None, batch_wait_ms: float | None) -> Running:
    """Return how the engine is to run: as it was told, else as it was tuned here, else as is usual."""
    tuning = tuning_here(facts)
    usual = Running(tuning.threads, tuning.batch_max, tuning.batch_wait_ms) if tuning else Running(0, 8, 0.0)
    return Running(
        usual.threads if threads is None else threads,
        usual.batch_max if batch_max is None else batch_max,
        usual.batch_wait_ms if batch_wait_ms is None else batch_wait_ms,
    )
