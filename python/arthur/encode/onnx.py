"""The ONNX Runtime adapter: runs an engine's graph on the CPU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from arthur.encode.folder import EngineFolder
from arthur.encode.golden import golden_distance, load_golden, picture
from arthur.encode.session import Session, pixels_form
from arthur.encode.spec import EngineSpec, GraphFile, Variant, check_pixels
from arthur.errors import EngineError, EngineMismatch
from arthur.types import Pixels, Vectors


class OnnxEncoder:
    """A graph loaded from an engine folder. See Encoder.

    The quantised graph runs where the engine has one, the CPU has int8 dot products, and its golden vectors agree;
    else the full one. A call in flight keeps the graph alive, so `close` neither waits for it nor breaks it.
    """

    def __init__(self, folder: EngineFolder, *, threads: int = 0, cpu_flags: frozenset[str] | None = None) -> None:
        """Load, check and warm up the engine; `threads` 0 is one per usable core.

        `cpu_flags` are the CPU's features as Linux names them; None reads them from this machine.

        Raises:
            EngineError: a file is missing, was changed, is not a graph, or cannot be run.
            EngineMismatch: the graph or its vectors are not those that `engine.toml` promises.
        """
        flags = _cpu_flags() if cpu_flags is None else cpu_flags
        folder.checked(folder.facts.image)  # even if the quantised graph runs: the fingerprint vouches for this one
        spec = folder.spec()
        self._session: Session | None
        self._session, variant = _open_best(folder, threads=threads, flags=flags)
        self._spec = replace(spec, variant=variant)
        self._spec = replace(self._spec, canary=self.encode(picture(spec.side)).tobytes())

    @property
    def spec(self) -> EngineSpec:
        """See Encoder.spec."""
        return self._spec

    def encode(self, pixels: Pixels) -> Vectors:
        """See Encoder.encode."""
        check_pixels(self._spec, pixels)
        session = self._session
        if session is None:
            raise EngineError(f"engine {self._spec.name} is closed")
        return session.run(pixels)

    def close(self) -> None:
        """See Encoder.close."""
        self._session = None


def golden_distances(folder: EngineFolder, *, threads: int = 0) -> dict[Variant, float]:
    """Return for each image graph of an engine the largest 1 - cosine to its golden vectors.

    Raises:
        EngineError: a file is missing or unusable, or the engine has no golden vectors.
        EngineMismatch: a graph has another form than `engine.toml` promises.
    """
    facts = folder.facts
    if facts.golden is None:
        raise EngineError(f"engine {facts.name} has no golden vectors to compare with")
    graphs: dict[Variant, GraphFile] = {"fp32": facts.image}
    if facts.image.int8:
        graphs["int8"] = facts.image.int8
    for graph in graphs.values():
        folder.checked(graph)
    sessions = {name: Session(folder, graph, pixels_form(facts), threads=threads) for name, graph in graphs.items()}
    return {name: _distance(session, folder) for name, session in sessions.items()}


def has_int8_dots(flags: frozenset[str]) -> bool:
    """Whether the CPU multiplies int8 in one instruction, without which a quantised graph is no faster."""
    return bool(flags & {"avx512_vnni", "avx_vnni"})


def _open_best(folder: EngineFolder, *, threads: int, flags: frozenset[str]) -> tuple[Session, Variant]:
    """Open the quantised graph if it is there, is of use and is right, or else the full one, which has to be right."""
    facts = folder.facts
    quantised = facts.image.int8
    if quantised and facts.golden and has_int8_dots(flags) and (folder.path / quantised.file).is_file():
        folder.checked(quantised)
        session = Session(folder, quantised, pixels_form(facts), threads=threads)
        if _distance(session, folder) <= facts.golden.tolerance:
            return session, "int8"
    session = Session(folder, facts.image, pixels_form(facts), threads=threads)
    if facts.golden and not (distance := _distance(session, folder)) <= facts.golden.tolerance:
        raise EngineMismatch(
            f"engine {facts.name}: its vectors differ from the golden ones by {distance:.2g} (1 - cosine), "
            f"more than {facts.golden.tolerance:g}"
        )
    return session, "fp32"


def _distance(session: Session, folder: EngineFolder) -> float:
    """Return the largest 1 - cosine to the engine's golden vectors."""
    facts = folder.facts
    if facts.golden is None:
        return 0.0
    golden = load_golden(folder.path / facts.golden.file, facts=facts)
    return golden_distance(session.run, golden)


def _cpu_flags() -> frozenset[str]:
    """Read the CPU's features; none where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), []))
