"""Compiles an engine's graph into a plan of TensorRT, in the precision that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from arthur.encode.folder import EngineFolder
from arthur.encode.ladder import Profile
from arthur.encode.plans import Progress
from arthur.encode.spec import Variant
from arthur.encode.tensorrt import Complaints, Installed, TensorRt
from arthur.errors import EngineError

_KEPT_FULL = ("ReduceL2", "Pow")
"""Nodes whose results do not fit into fp16."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to build.

    Attributes:
        precision: of the matrix products.
        profiles: batch sizes.
        limits: how large numbers get, for int8 and fp8; see `export.ranges`.
        timings: what earlier builds learned.
        compute: compute capability to build for, as in `8.9`; "" is the GPU of this machine. Only RTX knows others.
    """

    precision: Variant
    profiles: tuple[Profile, ...]
    limits: Mapping[str, float] = field(default_factory=dict)
    timings: bytes = b""
    compute: str = ""


@dataclass(frozen=True, slots=True)
class Built:
    """A plan, and what its build learned about the GPU's kernels; empty where the version keeps nothing."""

    plan: bytes
    timings: bytes


def build_plan(folder: EngineFolder, found: Installed, order: Order, *, progress: Progress | None = None) -> Built:
    """Compile the engine's image graph; minutes of one core.

    Raises:
        ConfigError: the graph has nothing that can be in that precision.
        EngineError: the graph cannot be read, parsed or compiled; tells what TensorRT said.
        OutOfMemory: the GPU has no room to try kernels.
    """
    trt, complaints = found.module, Complaints()
    logger = complaints.logger(trt)
    with _graph(folder, order, strong=found.strong) as graph:
        try:
            builder = trt.Builder(logger)
        except TypeError as error:  # the constructor returned nothing, as it does without a driver
            raise complaints.error(f"engine {folder.facts.name}: TensorRT cannot begin") from error
        network = builder.create_network(_network_flags(trt))
        parser = trt.OnnxParser(network, logger)
        if not parser.parse_from_file(str(graph)):
            raise EngineError(f"engine {folder.facts.name}: TensorRT cannot read its graph: {_refused(parser)}")
        config = _configured(builder, found, order, side=folder.facts.side)
        if not found.strong:
            _keep_full(trt, network)
        if progress and hasattr(trt, "IProgressMonitor"):
            config.progress_monitor = _monitor(trt, progress)
        plan = builder.build_serialized_network(network, config)
        if plan is None:
            raise complaints.error(f"engine {folder.facts.name}: TensorRT cannot build it in {order.precision}")
        learned = config.get_timing_cache() if _times(found) else None
        return Built(bytes(plan), bytes(learned.serialize()) if learned else b"")


def _graph(folder: EngineFolder, order: Order, *, strong: bool) -> AbstractContextManager[Path]:
    """Return the graph's file: the engine's own, where precisions are switched on and nothing is rounded."""
    if order.precision == "fp32" or not (strong or order.precision in ("int8", "fp8")):
        return nullcontext(folder.checked(folder.facts.image))
    from arthur.encode.rewriting import rewritten  # needs onnx, which the rest does not

    return rewritten(folder, order.precision, order.limits, strong=strong)


def _refused(parser: TensorRt) -> str:
    """Tell the first thing that a parser did not understand; versions before 10 do not name the operator."""
    if not parser.num_errors:
        return "it gives no reason"
    error = parser.get_error(0)
    operator = f"{error.node_operator()}: " if hasattr(error, "node_operator") else ""
    return f"{operator}{error.desc()}".partition("\n")[0]


def _network_flags(trt: TensorRt) -> int:
    """Ask for obeyed types where they are known, and for a batch axis where that is still a choice."""
    known = trt.NetworkDefinitionCreationFlag
    names = ("STRONGLY_TYPED",) if hasattr(known, "STRONGLY_TYPED") else ("EXPLICIT_BATCH",)
    return sum(1 << int(getattr(known, name)) for name in names if hasattr(known, name))


def _configured(builder: TensorRt, found: Installed, order: Order, *, side: int) -> TensorRt:
    """Set batch sizes, precision and timings."""
    trt, config = found.module, builder.create_builder_config()
    for batch in order.profiles:
        profile = builder.create_optimization_profile()
        profile.set_shape("pixels", *((size, side, side, 3) for size in (batch.least, batch.best, batch.most)))
        config.add_optimization_profile(profile)
    flags = ["FP16"] if order.precision == "fp16" else ["FP16", "INT8"] if order.precision == "int8" else []
    for name in (*flags, "OBEY_PRECISION_CONSTRAINTS") if not found.strong else ():
        config.set_flag(getattr(trt.BuilderFlag, name))
    if not found.strong:  # kernels of its own only: cuBLAS and cuDNN need not be there then
        own = ("EDGE_MASK_CONVOLUTIONS", "JIT_CONVOLUTIONS")
        config.set_tactic_sources(sum(1 << int(getattr(trt.TacticSource, name)) for name in own))
    if order.precision == "fp32":
        config.clear_flag(trt.BuilderFlag.TF32)
    if hasattr(trt.BuilderFlag, "REQUIRE_USER_ALLOCATION"):  # RTX: else its work cannot be recorded
        config.set_flag(trt.BuilderFlag.REQUIRE_USER_ALLOCATION)
    if order.compute:
        config.num_compute_capabilities = 1
        config.set_compute_capability(getattr(trt.ComputeCapability, f"SM{order.compute.replace('.', '')}"), 0)
    if _times(found):
        config.set_timing_cache(config.create_timing_cache(order.timings), ignore_mismatch=False)
    return config


def _times(found: Installed) -> bool:
    """Whether builds try kernels and remember how fast they were; RTX does that when it runs."""
    return not hasattr(found.module, "ComputeCapability")


def _keep_full(trt: TensorRt, network: TensorRt) -> None:
    """Keep lengths and powers in float32 where the graph's own types are not obeyed."""
    for place in range(network.num_layers):
        layer = network.get_layer(place)
        if layer.name.startswith(_KEPT_FULL):
            layer.precision = trt.DataType.FLOAT
            layer.set_output_type(0, trt.DataType.FLOAT)


def _monitor(trt: TensorRt, progress: Progress) -> TensorRt:
    """Return what tells `progress` how far a build is; versions before 10 do not know."""

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]  # its base is known only when it runs
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self._steps: dict[str, int] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            self._steps[phase_name] = num_steps
            progress(phase_name, 0, num_steps)

        def phase_finish(self, phase_name: str) -> None:
            steps = self._steps.pop(phase_name, 1)
            progress(phase_name, steps, steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            progress(phase_name, step, self._steps.get(phase_name, step))
            return True

    return Monitor()
