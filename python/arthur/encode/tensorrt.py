"""Runs an engine in TensorRT 8.6, 10 or 11, or in TensorRT for RTX: the same calls, from whichever is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias

import structlog

from arthur.encode.cuda import Cuda, OutOfMemory
from arthur.encode.ladder import Profile, profile_of
from arthur.encode.lanes import Lane, Lanes
from arthur.encode.spec import EngineFile, Variant
from arthur.errors import ConfigError, EngineError, EngineMismatch

log = structlog.get_logger(__name__)

TensorRt: TypeAlias = Any
"""The module `tensorrt` or `tensorrt_rtx_bindings`; of which version is known when it runs, and no two agree."""

_MODULES = ("tensorrt", "tensorrt_rtx_bindings")
_WEAK: tuple[Variant, ...] = ("fp32", "fp16", "int8")
_STRONG: tuple[Variant, ...] = ("fp32", "fp16", "bf16", "int8", "fp8")
_NEEDS = {"bf16": (8, 0), "fp8": (8, 9)}
"""The first compute capability that multiplies them."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A TensorRT.

    Attributes:
        module: its Python package.
        name: name and version, as a plan's key has them.
        strong: whether a graph's types are obeyed (10, 11, RTX), or precisions are switched on (8.6).
    """

    module: TensorRt
    name: str
    strong: bool

    def check(self, precision: Variant, capability: str) -> None:
        """Refuse a precision that this version does not know or that GPU does not multiply.

        Raises:
            ConfigError: with those that it does.
        """
        known = _STRONG if self.strong else _WEAK
        major, _, minor = capability.partition(".")
        fits = [one for one in known if (int(major), int(minor)) >= _NEEDS.get(one, (0, 0))]
        if precision not in fits:
            raise ConfigError(f"{self.name} on compute capability {capability} runs {', '.join(fits)}, not {precision}")


def installed(load: Callable[[str], TensorRt] = import_module) -> Installed:
    """Return the TensorRT that is installed.

    Raises:
        ConfigError: there is none.
    """
    for name in _MODULES:
        try:
            module = load(name)
        except (ImportError, OSError):  # the package may be there while a library that it needs is not
            continue
        strong = hasattr(module.NetworkDefinitionCreationFlag, "STRONGLY_TYPED")
        return Installed(module, f"{name.removesuffix('_bindings')} {module.__version__}", strong)
    raise ConfigError("TensorRT is not installed: pip install 'arthur-imgreco[tensorrt]'; see docs/gpu.md")


class Complaints:
    """What TensorRT said last, as its calls return nothing that tells why they failed."""

    def __init__(self) -> None:
        self.last = self.warned = ""

    def logger(self, trt: TensorRt) -> TensorRt:
        """Return a logger that keeps errors and passes the rest on to ours."""
        complaints, severity = self, trt.ILogger.Severity

        class Logger(trt.ILogger):  # type: ignore[misc]  # its base is known only when it runs
            def __init__(self) -> None:
                trt.ILogger.__init__(self)

            def log(self, level: object, message: str) -> None:
                if level in (severity.ERROR, severity.INTERNAL_ERROR):
                    complaints.last = message
                elif level == severity.WARNING:
                    complaints.warned = message
                    log.debug("tensorrt", message=message)

        return Logger()

    def error(self, what: str) -> EngineError:
        """Return the error that tells what failed and why."""
        short = "memory" in self.last.lower() and ("out of" in self.last.lower() or "alloc" in self.last.lower())
        return (OutOfMemory if short else EngineError)(f"{what}: {self.last or self.warned or 'it gives no reason'}")


class _Program:
    """Contexts of one lane, one for each batch size, that share memory. See Program."""

    def __init__(self, loaded: _Loaded, given: int, found: int) -> None:
        self._loaded, self._given, self._found = loaded, given, found
        self._scratch_bytes = scratch_bytes(loaded.engine)
        self._scratch = loaded.cuda.reserve(self._scratch_bytes)
        self._contexts: dict[int, TensorRt] = {}

    def enqueue(self, batch: int, stream: int) -> None:
        """See Program.enqueue."""
        if batch not in self._contexts:
            self._contexts[batch] = self._context(batch, stream)
        if not self._contexts[batch].execute_async_v3(stream):
            raise self._loaded.complaints.error(f"a batch of {batch} did not run")

    def _context(self, batch: int, stream: int) -> TensorRt:
        """Make a context for one batch size: a recorded graph stays right only while its context is not changed."""
        loaded = self._loaded
        context = bare_context(loaded.trt, loaded.engine)
        if context is None:
            raise loaded.complaints.error(f"no context for a batch of {batch}")
        give_scratch(context, self._scratch, self._scratch_bytes)
        done = context.set_optimization_profile_async(profile_of(loaded.profiles, batch), stream)
        done = done and context.set_input_shape("pixels", (batch, loaded.side, loaded.side, 3))
        done = done and context.set_tensor_address("pixels", self._given)
        done = done and context.set_tensor_address("vectors", self._found)
        if not done:
            raise loaded.complaints.error(f"a context refused a batch of {batch}")
        return context


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A plan that was read, and what it runs on."""

    trt: TensorRt
    engine: TensorRt
    complaints: Complaints
    cuda: Cuda
    profiles: tuple[Profile, ...]
    side: int


def bare_context(trt: TensorRt, engine: TensorRt) -> TensorRt:
    """Make a context that is given its memory: by strategy from version 10 on, by a method of its own before."""
    strategies = getattr(trt, "ExecutionContextAllocationStrategy", None)
    if strategies is None:
        return engine.create_execution_context_without_device_memory()
    return engine.create_execution_context(strategies.USER_MANAGED)


def scratch_bytes(engine: TensorRt) -> int:
    """Return how much memory a context needs beside input and output."""
    newer = getattr(engine, "device_memory_size_v2", None)
    return int(engine.device_memory_size if newer is None else newer)


def give_scratch(context: TensorRt, address: int, size: int) -> None:
    """Give a context its memory."""
    if hasattr(context, "set_device_memory"):
        context.set_device_memory(address, size)
    else:
        context.device_memory = address


def check_ends(trt: TensorRt, engine: TensorRt, facts: EngineFile) -> None:
    """Compare a plan's input and output with what `engine.toml` promises.

    Raises:
        EngineMismatch: they differ.
    """
    wanted = {
        "pixels": (trt.DataType.UINT8, (-1, facts.side, facts.side, 3)),
        "vectors": (trt.DataType.FLOAT, (-1, facts.dim)),
    }
    names = [engine.get_tensor_name(place) for place in range(engine.num_io_tensors)]
    found = {name: (engine.get_tensor_dtype(name), tuple(engine.get_tensor_shape(name))) for name in names}
    if found != wanted:
        told = "; ".join(f"{name} {kind} {shape}" for name, (kind, shape) in found.items())
        raise EngineMismatch(
            f"engine {facts.name}: its plan has {told}, not pixels of side {facts.side} and vectors of dim {facts.dim}"
        )


def open_plan(
    plan: bytes, facts: EngineFile, trt: TensorRt, cuda: Cuda, *, profiles: tuple[Profile, ...], lanes: int = 2
) -> Lanes:
    """Load a plan and record every batch size, in as many lanes as wanted where memory allows, else in fewer.

    Owns `cuda`, also when it fails.

    Raises:
        EngineError: the plan cannot be loaded or run.
        EngineMismatch: it is not a plan of that engine.
        OutOfMemory: there is no room for even one lane; the message tells what was wanted.
    """
    complaints = Complaints()
    with _freed(cuda):
        cuda.enter()
        logger = complaints.logger(trt)
        try:
            runtime = trt.Runtime(logger)
        except TypeError as error:  # the constructor returned nothing, as it does without a driver
            raise complaints.error(f"engine {facts.name}: TensorRT cannot begin") from error
        engine = runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise complaints.error(f"engine {facts.name}: TensorRT cannot load its plan")
        check_ends(trt, engine, facts)
        loaded = _Loaded(trt, engine, complaints, cuda, profiles, facts.side)
        made = _lanes(loaded, facts, most=lanes)
        return Lanes(cuda, made, name=facts.name, batch_max=profiles[-1].most)


def _lanes(loaded: _Loaded, facts: EngineFile, *, most: int) -> tuple[Lane, ...]:
    """Make so many lanes, or as many as there is room for."""
    batch_max = loaded.profiles[-1].most

    def lane() -> Lane:
        made = Lane(
            loaded.cuda,
            lambda given, found: _Program(loaded, given, found),
            side=facts.side,
            dim=facts.dim,
            batch_max=batch_max,
        )
        made.warm()
        return made

    try:
        lanes = [lane()]
    except OutOfMemory as error:
        raise OutOfMemory(
            f"engine {facts.name}: the GPU has no room for batches of {batch_max} "
            f"({scratch_bytes(loaded.engine) >> 20} MiB beside the weights); lower batch_max: {error}"
        ) from error
    try:
        while len(lanes) < most:
            lanes.append(lane())
    except OutOfMemory:
        log.warning("fewer_lanes", engine=facts.name, batch_max=batch_max, lanes=len(lanes), wanted=most)
    return tuple(lanes)


@contextmanager
def _freed(cuda: Cuda) -> Iterator[None]:
    """Free what was made on the GPU if the block fails."""
    try:
        yield
    except BaseException:
        cuda.release()
        raise
