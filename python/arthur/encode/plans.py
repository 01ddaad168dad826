"""Keeps plans: an engine compiled for one GPU, driver and runtime, and worthless for any other.

A plan is one file below `DATA/engines/NAME/plans`, named by all that it depends on, with a hash of its own bytes: what
is damaged or was made for something else is not found, and made anew.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

import structlog
from blake3 import blake3

from arthur.encode.cuda import Gpu
from arthur.encode.ladder import Profile
from arthur.encode.spec import Variant

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told the name of a phase of a build, the steps that are done, and how many there are."""

log = structlog.get_logger(__name__)

_MARK = b"arthur plan 1\n"
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class PlanKey:
    """All that a plan depends on.

    Attributes:
        gpu: name, compute capability and driver of the GPU.
        runtime: name and version of what made it.
        precision: of its products.
        graph: SHA-256 of the full graph, and of what it was calibrated with.
        profiles: batch sizes it was made for.
    """

    gpu: Gpu
    runtime: str
    precision: Variant
    graph: str
    profiles: tuple[Profile, ...]

    @property
    def text(self) -> str:
        """Everything as canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @property
    def digest(self) -> str:
        """What tells one key from another."""
        return blake3(self.text.encode()).hexdigest()[:_DIGITS]

    @property
    def machine(self) -> str:
        """What tells machines apart between which measurements of kernels cannot be carried over."""
        return blake3(f"{self.gpu}{self.runtime}".encode()).hexdigest()[:_DIGITS]


class PlanStore:
    """Plans of one engine in one folder, shared by the processes of a machine. Callable from any thread."""

    def __init__(self, folder: Path) -> None:
        """Keep plans in `folder`, which is made when the first one comes."""
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self._folder

    def path(self, key: PlanKey) -> Path:
        """Return where the plan of that key lies."""
        return self._folder / f"{key.precision}-{key.digest}.plan"

    def load(self, key: PlanKey) -> bytes | None:
        """Return the plan of that key; None where there is none, or it is damaged."""
        path = self.path(key)
        try:
            held = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("plan_unreadable", path=str(path), error=error.strerror)
            return None
        head = _head(key)
        plan = held[len(head) + blake3.digest_size :]
        if held[: len(head)] != head or held[len(head) : len(head) + blake3.digest_size] != blake3(plan).digest():
            log.warning("plan_damaged", path=str(path))
            return None
        return plan

    def save(self, key: PlanKey, plan: bytes) -> None:
        """Keep a plan; a reader sees all of it or nothing, also after a crash.

        Raises:
            OSError: it cannot be written.
        """
        _write(self.path(key), _head(key) + blake3(plan).digest() + plan)

    def timings(self, key: PlanKey) -> bytes:
        """Return what earlier builds learned about this GPU's kernels; empty where nothing is known."""
        try:
            return self._timings(key).read_bytes()
        except OSError:
            return b""

    def save_timings(self, key: PlanKey, timings: bytes) -> None:
        """Keep what a build learned.

        Raises:
            OSError: it cannot be written.
        """
        _write(self._timings(key), timings)

    @contextmanager
    def building(self) -> Iterator[None]:
        """Let one process build at a time; the others wait, and find its plan.

        Raises:
            OSError: the folder cannot be written to.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _timings(self, key: PlanKey) -> Path:
        return self._folder / f"{key.machine}.timings"


def _head(key: PlanKey) -> bytes:
    return _MARK + key.text.encode() + b"\n"


def _write(path: Path, content: bytes) -> None:
    """Replace a file at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as scratch:
        try:
            scratch.write(content)
            scratch.flush()
            os.fsync(scratch.fileno())
            Path(scratch.name).replace(path)
        except BaseException:
            Path(scratch.name).unlink(missing_ok=True)
            raise
