"""Opens an engine that has to be compiled first: from a plan that fits this machine, or after one was made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from arthur.encode.cuda import BoundCuda, OutOfMemory
from arthur.encode.export.ranges import ranges
from arthur.encode.folder import EngineFolder, sha256_of
from arthur.encode.ladder import Profile, profiles
from arthur.encode.plans import PlanKey, PlanStore, Progress
from arthur.encode.runners import GpuRunner
from arthur.encode.samples import drawn
from arthur.encode.spec import Variant
from arthur.encode.targets import Target, require
from arthur.errors import EngineError
from arthur.types import Pixels

log = structlog.get_logger(__name__)

_DRAWN = 32


class Compiler(Protocol):
    """Makes and opens plans of one engine, precision and GPU."""

    @property
    def key(self) -> PlanKey:
        """What its plans depend on."""
        ...

    def make(self, store: PlanStore) -> bytes:
        """Compile the engine; minutes.

        Raises:
            ConfigError: something is not installed, or has no such precision.
            EngineError: the engine cannot be compiled.
        """
        ...

    def open(self, plan: bytes) -> GpuRunner:
        """Load a plan.

        Raises:
            EngineError: it cannot be loaded.
            OutOfMemory: there is no room for it.
        """
        ...


def opened(
    folder: EngineFolder,
    precision: Variant,
    target: Target,
    *,
    pictures: Pixels | None = None,
    progress: Progress | None = None,
) -> GpuRunner:
    """Open the engine's plan for this machine, which is made now if it is not there; see `compiler_for`."""
    compiler = compiler_for(folder, precision, target, pictures=pictures, progress=progress)
    store = plans_of(folder, target)
    return kept(compiler, store) or made(compiler, store)


def kept(compiler: Compiler, store: PlanStore) -> GpuRunner | None:
    """Open the plan that was made before for this very machine; None where there is none, or it does not load.

    Raises:
        OutOfMemory: there is no room for it.
    """
    plan = store.load(compiler.key)
    if plan is None:
        return None
    try:
        return compiler.open(plan)
    except OutOfMemory:
        raise
    except EngineError as error:
        log.warning("plan_refused", path=str(store.path(compiler.key)), error=str(error))
        return None


def made(compiler: Compiler, store: PlanStore) -> GpuRunner:
    """Make a plan, keep it and open it; one process does, the others wait and open what it made.

    A plan that cannot be kept serves this process alone.

    Raises:
        ConfigError: something is not installed, or has no such precision.
        EngineError: the engine cannot be compiled or run.
    """
    try:
        with store.building():
            found = kept(compiler, store)
            if found is not None:
                return found
            plan = compiler.make(store)
            store.save(compiler.key, plan)
    except OSError as error:
        log.warning("plan_not_kept", path=str(store.path(compiler.key)), error=error.strerror)
        plan = compiler.make(store)
    return compiler.open(plan)


def compiler_for(
    folder: EngineFolder,
    precision: Variant,
    target: Target,
    *,
    pictures: Pixels | None = None,
    progress: Progress | None = None,
) -> Compiler:
    """Return what compiles the engine for that target.

    Args:
        folder: the engine.
        precision: of its products.
        target: where it is to run.
        pictures: `(n, side, side, 3)` uint8 to calibrate int8 and fp8 on; None takes what was measured before.
        progress: is told how far a build is.

    Raises:
        ConfigError: the runtime or the GPU is not there, or does not know the precision.
        EngineError: int8 or fp8 cannot be calibrated.
    """
    if target.runtime == "torch-tensorrt":
        require("torch")
        from arthur.encode.torch_tensorrt import torch_tensorrt

        name = f"torch-tensorrt {torch_tensorrt().__version__}"
        sizes = (Profile(1, target.batch_max, target.batch_max),)
        gpu = BoundCuda(target.gpu or 0).gpu
        return _TorchTensorRt(folder, target, PlanKey(gpu, name, precision, _hash(folder, {}), sizes))
    from arthur.encode.tensorrt import installed

    found, gpu = installed(), BoundCuda(target.gpu or 0).gpu
    found.check(precision, gpu.capability)
    limits = _ranges(folder, plans_of(folder, target), pictures) if precision in ("int8", "fp8") else {}
    key = PlanKey(gpu, found.name, precision, _hash(folder, limits), profiles(target.batch_max))
    return _TensorRt(folder, target, key, limits, progress)


def plans_of(folder: EngineFolder, target: Target) -> PlanStore:
    """Return where the engine's plans are kept."""
    return PlanStore(target.plans or folder.path / "plans")


@dataclass(frozen=True, slots=True)
class _TensorRt:
    """TensorRT. See Compiler."""

    folder: EngineFolder
    target: Target
    key: PlanKey
    limits: Mapping[str, float]
    progress: Progress | None

    def make(self, store: PlanStore) -> bytes:
        """See Compiler.make."""
        from arthur.encode.planning import Order, build_plan
        from arthur.encode.tensorrt import installed

        BoundCuda(self.target.gpu or 0).enter()
        order = Order(self.key.precision, self.key.profiles, self.limits, store.timings(self.key))
        built = build_plan(self.folder, installed(), order, progress=self.progress)
        if built.timings:
            store.save_timings(self.key, built.timings)
        return built.plan

    def open(self, plan: bytes) -> GpuRunner:
        """See Compiler.open."""
        from arthur.encode.tensorrt import installed, open_plan

        cuda = BoundCuda(self.target.gpu or 0)
        profiles, lanes = self.key.profiles, self.target.lanes
        return open_plan(plan, self.folder.facts, installed().module, cuda, profiles=profiles, lanes=lanes)


@dataclass(frozen=True, slots=True)
class _TorchTensorRt:
    """Torch-TensorRT. See Compiler."""

    folder: EngineFolder
    target: Target
    key: PlanKey

    def make(self, store: PlanStore) -> bytes:
        """See Compiler.make."""
        from arthur.encode.torch_tensorrt import compile_program

        profile, timings = self.key.profiles[0], store.path(self.key).with_suffix(".timings")
        return compile_program(
            self.folder, self.key.precision, device=self.target.device, profile=profile, timings=timings
        )

    def open(self, plan: bytes) -> GpuRunner:
        """See Compiler.open."""
        from arthur.encode.torch import TorchRunner
        from arthur.encode.torch_tensorrt import load_program

        module = load_program(plan, self.folder)
        return TorchRunner(module, self.folder, target=self.target)


def _ranges(folder: EngineFolder, store: PlanStore, pictures: Pixels | None) -> Mapping[str, float]:
    """Measure on the operator's pictures, or take what was measured before, or measure on drawn pictures."""
    source = folder.checked(folder.facts.image)
    path = store.folder / f"ranges-{_hash(folder, {})[:16]}.json"
    if pictures is None and (known := _read_ranges(path)):
        return known
    found = ranges(source, drawn(folder.facts.side, count=_DRAWN) if pictures is None else pictures)
    store.folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found), encoding="utf-8")
    return found


def _read_ranges(path: Path) -> Mapping[str, float]:
    """Read ranges; empty where there are none that can be used."""
    try:
        found = json.loads(path.read_bytes())
        return {str(name): float(value) for name, value in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _hash(folder: EngineFolder, limits: Mapping[str, float]) -> str:
    """Return what tells one graph and its calibration from another."""
    facts = folder.facts
    digest = facts.image.sha256 or sha256_of(folder.path / facts.image.file)
    return hashlib.sha256(f"{digest}{json.dumps(limits, sort_keys=True)}".encode()).hexdigest()
