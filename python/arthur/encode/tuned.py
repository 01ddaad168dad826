"""What `arthur engines tune` found, where it says something about this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from arthur.encode.runners import cpu_model
from arthur.encode.spec import EngineFile, Tuning
from arthur.encode.targets import Target
from arthur.processors import usable_cores

_CPU = "cpu"


def place_of(target: Target | None) -> str:
    """Return what a tuning is good for: `cpu`, or runtime and GPU, as in `tensorrt on NVIDIA H200`.

    Raises:
        ConfigError: the GPU cannot be asked for its name.
    """
    if target is None or target.gpu is None:
        return _CPU
    from arthur.encode.cuda import BoundCuda

    return f"{target.runtime} on {BoundCuda(target.gpu).gpu.name}"


def tuning_here(
    facts: EngineFile, target: Target | None = None, *, place: Callable[[Target | None], str] = place_of
) -> Tuning | None:
    """Return how the engine runs best on this machine and `target`; None where it was not tuned on one like it."""
    tuning = facts.tuning
    if tuning is None or (tuning.cpu, tuning.cores) != (cpu_model(), usable_cores()):
        return None
    on_gpu = target is not None and target.gpu is not None
    if on_gpu == (tuning.where == _CPU) or (on_gpu and place(target) != tuning.where):
        return None
    return tuning


@dataclass(frozen=True, slots=True)
class Running:
    """How an engine runs: as the settings `engine_threads`, `batch_max` and `batch_wait_ms`.

    Attributes:
        streams: batches at a time; None is what is usual where it runs.
    """

    threads: int
    batch_max: int
    batch_wait_ms: float
    streams: int | None = None


def running(
    tuning: Tuning | None, *, threads: int | None, batch_max: int | None, batch_wait_ms: float | None
) -> Running:
    """Return how the engine is to run: as it was told, else as it was tuned here, else as is usual."""
    usual = Running(0, 8, 0.0)
    if tuning is not None:
        usual = Running(tuning.threads, tuning.batch_max, tuning.batch_wait_ms, tuning.streams)
    return Running(
        usual.threads if threads is None else threads,
        usual.batch_max if batch_max is None else batch_max,
        usual.batch_wait_ms if batch_wait_ms is None else batch_wait_ms,
        usual.streams,
    )
