"""Runs an engine's ONNX graph on the CPU: with ONNX Runtime, or with OpenVINO where `build` chose it."""

from __future__ import annotations

from dataclasses import replace

from arthur.encode.folder import EngineFolder
from arthur.encode.golden import picture
from arthur.encode.passport import passport_of
from arthur.encode.precision import LEAST_COSINE
from arthur.encode.runners import Runner, distance, is_faster, machine_flags, open_runner
from arthur.encode.spec import EngineFile, EngineSpec, Variant, check_pixels
from arthur.errors import ConfigError, EngineError, EngineMismatch
from arthur.types import Pixels, Vectors


class OnnxEncoder:
    """A graph loaded from an engine folder. See Encoder.

    The graph that `arthur engines build` chose runs, else the quantised one, if the engine has it, the CPU is faster
    with it, and its golden vectors agree; otherwise the full one. A call in flight keeps the graph alive, so `close`
    neither waits for it nor breaks it.
    """

    def __init__(self, folder: EngineFolder, *, threads: int = 0, cpu_flags: frozenset[str] | None = None) -> None:
        """Load, check and warm up the engine; `threads` 0 is one per usable core.

        `cpu_flags` are the CPU's features as Linux names them; None reads them from this machine.

        Raises:
            EngineError: a file is missing, was changed, is not a graph, or cannot be run.
            EngineMismatch: the graph or its vectors are not those that `engine.toml` promises.
        """
        flags = machine_flags() if cpu_flags is None else cpu_flags
        folder.checked(folder.facts.image)  # even if the quantised graph runs: the fingerprint vouches for this one
        spec = folder.spec()
        self._runner: Runner | None
        self._runner, variant, golden = _open_best(folder, threads=threads, flags=flags)
        self._spec = replace(spec, variant=variant)
        self._spec = replace(self._spec, passport=passport_of(folder, self._spec, golden=golden))
        self._spec = replace(self._spec, canary=self.encode(picture(spec.side)).tobytes())

    @property
    def spec(self) -> EngineSpec:
        """See Encoder.spec."""
        return self._spec

    def encode(self, pixels: Pixels) -> Vectors:
        """See Encoder.encode."""
        check_pixels(self._spec, pixels)
        runner = self._runner
        if runner is None:
            raise EngineError(f"engine {self._spec.name} is closed")
        return runner.run(pixels)

    def close(self) -> None:
        """See Encoder.close."""
        self._runner = None


def golden_distances(folder: EngineFolder, *, threads: int = 0) -> dict[Variant, float]:
    """Return for each precision that an engine has the largest 1 - cosine to its golden vectors.

    Raises:
        EngineError: a file is missing or unusable, or the engine has no golden vectors.
        EngineMismatch: a graph has another form than `engine.toml` promises.
    """
    facts = folder.facts
    folder.checked(facts.image)
    if facts.golden is None:
        raise EngineError(f"engine {facts.name} has no golden vectors to compare with")
    precisions: list[Variant] = ["fp32", "int8"] if facts.image.int8 else ["fp32"]
    if facts.passport and facts.passport.precision not in precisions:
        precisions.append(facts.passport.precision)
    runners = {precision: open_runner(folder, precision, threads=threads) for precision in precisions}
    return {precision: distance(runner, folder) for precision, runner in runners.items()}


def tolerance(facts: EngineFile, precision: Variant) -> float:
    """Return the largest accepted 1 - cosine to the golden vectors: wider for a precision that `build` chose."""
    if facts.passport and facts.passport.precision == precision != "fp32":
        return 1 - LEAST_COSINE[precision]
    return facts.golden.tolerance if facts.golden else 0.0


def _open_best(folder: EngineFolder, *, threads: int, flags: frozenset[str]) -> tuple[Runner, Variant, float | None]:
    """Open the graph that was chosen for this CPU if it is there and right, or else the full one, which has to be.

    Returns:
        What runs it, its precision, and the distance to the golden vectors, if there are any.
    """
    facts = folder.facts
    chosen: Variant = facts.passport.precision if facts.passport else "int8"
    if facts.golden and chosen != "fp32" and is_faster(chosen, flags):
        runner = _stand_in(folder, chosen, threads=threads)
        if runner and (found := distance(runner, folder)) <= tolerance(facts, chosen):
            return runner, chosen, found
    runner = open_runner(folder, "fp32", threads=threads)
    if facts.golden is None:
        return runner, "fp32", None
    if not (found := distance(runner, folder)) <= facts.golden.tolerance:
        raise EngineMismatch(
            f"engine {facts.name}: its vectors differ from the golden ones by {found:.2g} (1 - cosine), "
            f"more than {facts.golden.tolerance:g}"
        )
    return runner, "fp32", found


def _stand_in(folder: EngineFolder, precision: Variant, *, threads: int) -> Runner | None:
    """Open the graph of lower precision; None where there is none, or nothing that runs it."""
    if precision == "bf16":
        try:
            return open_runner(folder, precision, threads=threads)
        except (ConfigError, EngineError):
            return None
    quantised = folder.facts.image.int8
    there = quantised is not None and (folder.path / quantised.file).is_file()
    return open_runner(folder, precision, threads=threads) if there else None
