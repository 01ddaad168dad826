"""Engine folders on disk: finding them by name, checking their files, and taking the fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from blake3 import blake3

from arthur.encode.spec import BinaryFile, EngineFile, EngineSpec, GraphFile, folder_name, read_engine_file
from arthur.errors import ConfigError, EngineError, UnusableEngine

_SCHEME = b"arthur engine fingerprint 1\n"


@dataclass(frozen=True, slots=True)
class EngineFolder:
    """A folder with an `engine.toml` and the files that it names.

    Attributes:
        path: the folder.
        facts: what its `engine.toml` says.
    """

    path: Path
    facts: EngineFile

    @property
    def ready(self) -> bool:
        """Whether the image graph is there; an engine that is not ready has to be pulled first."""
        return (self.path / self.facts.image.file).is_file()

    def checked(self, graph: GraphFile) -> Path:
        """Return the path of `graph` after comparing the SHA-256 of its files with those that `engine.toml` gives.

        Raises:
            UnusableEngine: a file is missing, cannot be read, or differs.
        """
        for part in _parts(graph):
            path = self._existing(part)
            try:
                found = sha256_of(path) if part.sha256 else None
            except OSError as error:
                raise UnusableEngine(f"engine {self.facts.name}: {path} cannot be read: {error.strerror}") from error
            if found != part.sha256:
                raise UnusableEngine(f"engine {self.facts.name}: SHA-256 of {path} is {found}, not {part.sha256}")
        return self.path / graph.file

    def spec(self) -> EngineSpec:
        """Describe the engine; reads the whole image graph.

        The fingerprint is BLAKE3 over the line `arthur engine fingerprint 1`, the preprocessing facts as one line of
        canonical JSON, the bytes of the full-precision image graph, and those of its weights where they lie beside
        it. It knows neither the engine's name nor the machine, so a renamed or moved engine keeps its vectors.

        Raises:
            UnusableEngine: the image graph cannot be read.
        """
        facts = self.facts
        digest = blake3(_SCHEME)
        digest.update(facts.preprocessing.encode() + b"\n")
        for part in _parts(facts.image):
            path = self._existing(part)
            try:
                digest.update_mmap(path)
            except OSError as error:
                raise UnusableEngine(f"engine {facts.name}: {path} cannot be read: {error.strerror}") from error
        return EngineSpec(facts.name, facts.side, facts.fit, facts.dim, digest.hexdigest())

    def _existing(self, part: BinaryFile) -> Path:
        """Return the path of a file that has to be there."""
        path = self.path / part.file
        if not path.is_file():
            raise UnusableEngine(f"engine {self.facts.name}: {path} is not there; `arthur engines pull` brings it")
        return path


def find_fingerprint(fingerprint: str, hints: Sequence[str], *, folders: tuple[Path, ...] = ()) -> EngineFolder | None:
    """Return the engine with that fingerprint: one of the `hints`, names or folders, else any that is known here.

    Engines that are not ready, and hints that lead nowhere, are passed over. Reads the graphs of those it looks at.
    """
    for found in _hinted(hints, folders):
        with suppress(EngineError):
            if found.ready and found.spec().fingerprint == fingerprint:
                return found
    return None


def _hinted(hints: Sequence[str], folders: tuple[Path, ...]) -> Iterator[EngineFolder]:
    for hint in dict.fromkeys(filter(None, hints)):
        with suppress(ConfigError):
            yield find_folder(hint, folders=folders)
    yield from engine_folders(folders)


def _parts(graph: GraphFile) -> tuple[BinaryFile, ...]:
    """Return the files that a graph consists of."""
    return (graph, graph.weights) if graph.weights else (graph,)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hex digits, in bounded memory."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def open_folder(path: Path) -> EngineFolder:
    """Read the `engine.toml` of a folder.

    Raises:
        ConfigError: there is none, or it is wrong.
    """
    return EngineFolder(path, read_engine_file(path / "engine.toml"))


def packaged_engines() -> Path:
    """Return the folder of the engines that come with Arthur."""
    return Path(str(files("arthur"))) / "engines"


def engine_folders(folders: tuple[Path, ...]) -> Iterator[EngineFolder]:
    """Yield each engine once, by folder name: one in `folders` hides the packaged one of the same name.

    Raises:
        ConfigError: an `engine.toml` is wrong.
    """
    seen: set[str] = set()
    for parent in (*folders, packaged_engines()):
        for path in sorted(parent.glob("*/engine.toml")):
            if path.parent.name not in seen:
                seen.add(path.parent.name)
                yield open_folder(path.parent)


def find_folder(engine: str, *, folders: tuple[Path, ...] = ()) -> EngineFolder:
    """Return the engine of that name, from `folders` before those that come with Arthur, or the folder at that path.

    Raises:
        ConfigError: there is no such engine, or its `engine.toml` is wrong.
    """
    if "/" in engine or engine.startswith("."):
        return open_folder(Path(engine))
    for parent in (*folders, packaged_engines()):
        path = parent / folder_name(engine)
        if (path / "engine.toml").is_file():
            return open_folder(path)
    known = ", ".join(sorted(found.facts.name for found in engine_folders(folders))) or "none"
    raise ConfigError(f"engine {engine!r} is neither a folder nor one of: {known}")
