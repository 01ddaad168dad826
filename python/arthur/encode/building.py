"""Chooses the precision in which an engine runs on this machine: built, compared with the full graph, then used."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from arthur.encode.changing import changed
from arthur.encode.export.quantise import quantise
from arthur.encode.folder import EngineFolder, open_folder, sha256_of
from arthur.encode.journal import Advance, unseen
from arthur.encode.openvino import openvino_version
from arthur.encode.plans import Progress
from arthur.encode.precision import FARTHEST_ROW, LEAST_COSINE, RUNS, Compared, Run, compare
from arthur.encode.runners import Runner, cpu_model, distance, open_runner, runtime_of
from arthur.encode.samples import altered, drawn
from arthur.encode.spec import GraphFile, Passport, Tuning, Variant, engine_file_text
from arthur.encode.targets import Target
from arthur.errors import EngineError
from arthur.types import Pixels, Vectors

_DRAWN = 32
_INT8 = "image.int8.onnx"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a graph is to run.

    Attributes:
        target: runtime and device.
        progress: is told how far a plan is.
    """

    target: Target
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """How fast one graph is.

    Attributes:
        precision, batch: what was measured.
        cpu_ms: median CPU time of one run of the batch, over all its threads.
        wall_ms: median time of the same.
        ratio: of its CPU time to that of the full graph in ONNX Runtime.
    """

    precision: Variant
    batch: int
    cpu_ms: float
    wall_ms: float
    ratio: float


def build(
    engine: str,
    precision: Variant,
    *,
    into: Path,
    pictures: Pixels | None = None,
    threads: int = 0,
    place: Place | None = None,
    advance: Advance = unseen,
) -> tuple[EngineFolder, Compared]:
    """Make the graph of that precision, compare it with the full one, and let it run from now on.

    Args:
        engine: a pulled or packaged engine, or a folder; a packaged one is copied below `into`.
        precision: wanted from now on.
        into: folder of the pulled engines.
        pictures: `(n, side, side, 3)` uint8 of the operator's own; None draws some.
        threads: of the engine while it is compared; 0 is one per usable core.
        place: where it is to run; None is what runs the precision on the CPU.
        advance: told how many pictures of how many were embedded.

    Raises:
        ConfigError: there is no such engine, or what runs it there is not installed.
        EngineError: the graph cannot be made or run, or is too far from the full one; nothing was changed.
    """
    with changed(engine, into=into) as change:
        target = place.target if place else None
        change.note(f"build {precision} with {runtime_of(precision, target)} on {cpu_model()}")
        candidate = change.folder if place else with_graph(change.folder, precision)
        found = compare_graphs(candidate, precision, pictures=pictures, threads=threads, place=place, advance=advance)
        if not found.passed:
            raise EngineError(f"engine {candidate.facts.name} stays as it was: {why(found)}")
        before = candidate.facts.passport
        kept = candidate.facts.tuning if before and before.precision == precision else None
        write_passport(candidate, passport_of(found, target), kept)
        change.note(f"built {precision}: cosine {found.cosine:.6f} on {found.pictures} pictures")
    return open_folder(change.place), found


def write_passport(folder: EngineFolder, passport: Passport, tuning: Tuning | None) -> None:
    """Let the graph run that was compared, as that tuning says."""
    facts = folder.facts.model_copy(update={"passport": passport, "tuning": tuning})
    (folder.path / "engine.toml").write_text(engine_file_text(facts), encoding="utf-8")


def compare_graphs(
    folder: EngineFolder,
    precision: Variant,
    *,
    pictures: Pixels | None = None,
    threads: int = 0,
    place: Place | None = None,
    advance: Advance = unseen,
) -> Compared:
    """Compare the graph of that precision with the full one on the CPU, on pictures and on the golden ones.

    `advance` is told how many pictures of how many were embedded.

    Raises:
        EngineError: the engine has no such graph, or it cannot be run.
    """
    reference = open_runner(folder, "fp32", threads=threads)
    candidate = (
        _opened(folder, precision, pictures, place) if place else open_runner(folder, precision, threads=threads)
    )
    shown = drawn(folder.facts.side, count=_DRAWN) if pictures is None else pictures
    seen = _Counted(advance, total=RUNS * len(shown))
    found = compare(precision, seen(candidate.run), seen(reference.run), pictures=shown, altered=altered(shown))
    golden = 1.0 - distance(candidate, folder)
    return replace(found, cosine=min(found.cosine, golden))


def bench(folder: EngineFolder, batches: Sequence[int], *, rounds: int = 10, threads: int = 0) -> list[Measured]:
    """Run every graph that this machine can run in turn, batch by batch, and tell how long each took.

    Raises:
        EngineError: a graph cannot be run.
    """
    runners = {name: open_runner(folder, name, threads=threads) for name in runnable(folder)}
    measured = []
    for batch in batches:
        pixels = drawn(folder.facts.side, count=batch)
        times: dict[Variant, list[tuple[float, float]]] = {name: [] for name in runners}
        for place in range(rounds + 1):
            for name, runner in runners.items():
                begun = time.process_time(), time.perf_counter()
                runner.run(pixels)
                if place:  # the first round warms up
                    times[name].append((time.process_time() - begun[0], time.perf_counter() - begun[1]))
        medians = {name: [median(column) * 1000 for column in zip(*rows, strict=True)] for name, rows in times.items()}
        full = medians["fp32"][0]
        measured += [Measured(name, batch, cpu, wall, cpu / full) for name, (cpu, wall) in medians.items()]
    return measured


class _Counted:
    """Counts the pictures that pass through runs."""

    def __init__(self, advance: Advance, *, total: int) -> None:
        self._advance, self._total = advance, total
        self._done = 0

    def __call__(self, run: Run) -> Run:
        def counted(pixels: Pixels) -> Vectors:
            vectors = run(pixels)
            self._done += len(pixels)
            self._advance(self._done, self._total)
            return vectors

        return counted


def _opened(folder: EngineFolder, precision: Variant, pictures: Pixels | None, place: Place) -> Runner:
    """Open the graph where it is to run; what has to be compiled is compiled into the folder itself."""
    if not place.target.planned:
        return open_runner(folder, precision, threads=0, target=place.target)
    from arthur.encode.compiled import opened

    beside = replace(place.target, plans=folder.path / "plans")
    return opened(folder, precision, beside, pictures=pictures, progress=place.progress)


def passport_of(found: Compared, target: Target | None = None) -> Passport:
    """Write down what was measured, and on what."""
    gpu = None
    if target is not None and target.gpu is not None:
        from arthur.encode.cuda import BoundCuda

        gpu = BoundCuda(target.gpu).gpu
    return Passport(
        precision=found.precision,
        runtime=runtime_of(found.precision, target),
        cpu=cpu_model(),
        gpu=gpu.name if gpu else None,
        driver=gpu.driver if gpu else None,
        cuda=gpu.cuda if gpu else None,
        pictures=found.pictures,
        cosine=round(found.cosine, 6),
    )


def runnable(folder: EngineFolder) -> list[Variant]:
    """Return the precisions that this machine can run."""
    int8: list[Variant] = ["int8"] if folder.facts.image.int8 else []
    bf16: list[Variant] = ["bf16"] if openvino_version() else []
    return ["fp32", *bf16, *int8]


def with_graph(folder: EngineFolder, precision: Variant) -> EngineFolder:
    """Quantise the full graph where int8 is wanted and there is none; one that was made otherwise may be better."""
    facts = folder.facts
    folder.checked(facts.image)
    if precision != "int8" or (facts.image.int8 and (folder.path / facts.image.int8.file).is_file()):
        return folder
    path = folder.path / _INT8
    if not quantise(folder.path / facts.image.file, path):
        raise EngineError(
            f"engine {facts.name} stays as it was: it has no matrix products, so int8 has nothing to gain"
        )
    image = facts.image.model_copy(update={"int8": GraphFile(file=path.name, sha256=sha256_of(path))})
    return EngineFolder(folder.path, facts.model_copy(update={"image": image}))


def why(found: Compared) -> str:
    """Tell what kept a graph from being used."""
    return (
        f"{found.precision} comes to a cosine of {found.cosine:.4f} (at least {LEAST_COSINE[found.precision]:g}), "
        f"finds the same nearest picture for {found.same_nearest:.1%} of {found.pictures}, and vectors of pictures "
        f"among others are {found.row_distance:.1g} off (at most {FARTHEST_ROW:g})"
    )
