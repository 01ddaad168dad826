"""What an operator does with engines: list them, pull them, and verify that they still compute what they did."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from arthur.encode.export.engine import export_engine
from arthur.encode.export.materials import Download, Materials, hub_materials, local_materials, named_materials
from arthur.encode.folder import EngineFolder, engine_folders, find_folder, open_folder
from arthur.encode.onnx import golden_distances, tolerance
from arthur.encode.spec import Variant
from arthur.encode.text import golden_text_distance
from arthur.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Listed:
    """One engine that is known here.

    Attributes:
        name, licence, side, dim: as in its `engine.toml`.
        ready: whether it can be loaded; else it has to be pulled.
        source: the repository its weights come from, or "" where it needs none.
        path: its folder.
    """

    name: str
    licence: str
    side: int
    dim: int
    ready: bool
    source: str
    path: Path


@dataclass(frozen=True, slots=True)
class Verified:
    """How near one graph of an engine comes to the golden vectors.

    Attributes:
        variant: the graph of pictures, or `text` for that of texts.
        distance: largest 1 - cosine.
        tolerance: the largest that is accepted.
    """

    variant: Variant | Literal["text"]
    distance: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the graph is near enough."""
        return self.distance <= self.tolerance


def list_engines(folders: tuple[Path, ...]) -> list[Listed]:
    """List pulled and packaged engines by name.

    Raises:
        ConfigError: an `engine.toml` is wrong.
    """
    return sorted((_listed(engine) for engine in engine_folders(folders)), key=lambda listed: listed.name)


def pull(reference: str, *, into: Path, download: Download) -> EngineFolder:
    """Bring an engine and build its graphs below the folder `into`.

    Args:
        reference: a packaged engine's name, a local folder of weights, or a repository of the Hugging Face hub.
        into: folder of the pulled engines; the engine's own folder in it is replaced.
        download: brings files of a repository.

    Weights that were pulled before from the same place have to be the same again, unless that engine was removed.

    Raises:
        ConfigError: there is no such engine, or it cannot be built.
        EngineError: the weights are not those of the engine, or have changed.
        FetchError: a download failed.
        NotFound: the repository lacks a file.
    """
    materials = _materials(reference, download)
    if materials is None:
        return find_folder(reference)
    target = into / materials.facts.folder_name
    return export_engine(_pinned(materials, target), into=target)


def verify(engine: str, *, folders: tuple[Path, ...] = (), threads: int = 0) -> list[Verified]:
    """Run every graph of an engine on its golden pictures and sentences.

    Raises:
        ConfigError: there is no such engine.
        Conflict: what reads its tokenizer is not installed.
        EngineError: it cannot be loaded, or has no golden vectors.
    """
    folder = find_folder(engine, folders=folders)
    distances = golden_distances(folder, threads=threads).items()
    found = [Verified(variant, moved, tolerance(folder.facts, variant)) for variant, moved in distances]
    text = folder.facts.text
    distance = golden_text_distance(folder, threads=threads)
    if text is None or text.golden is None or distance is None:
        return found
    return [*found, Verified("text", distance, text.golden.tolerance)]


def _listed(engine: EngineFolder) -> Listed:
    facts = engine.facts
    source = facts.source.repository if facts.source else ""
    return Listed(facts.name, facts.licence, facts.side, facts.dim, engine.ready, source, engine.path)


def _materials(reference: str, download: Download) -> Materials | None:
    """Find out what `reference` means; None for a packaged engine that is complete already."""
    if Path(reference).is_dir():
        return local_materials(Path(reference))
    try:
        packaged = find_folder(reference) if "/" not in reference else None
    except ConfigError as error:
        raise ConfigError(f"{error}; nor is it a folder or repository of the form owner/name") from error
    if packaged is None:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", reference):
            raise ConfigError(f"{reference!r} is neither a folder nor a repository of the form owner/name")
        return hub_materials(reference, download)
    return None if packaged.ready else named_materials(packaged.facts, download)


def _pinned(materials: Materials, target: Path) -> Materials:
    """Expect the hash of the weights that were pulled to `target` before from the same place."""
    facts = materials.facts
    if facts.source is None or facts.source.sha256 or not (target / "engine.toml").is_file():
        return materials
    before = open_folder(target).facts.source
    if before is None or (before.repository, before.revision) != (facts.source.repository, facts.source.revision):
        return materials
    source = facts.source.model_copy(update={"sha256": before.sha256})
    return Materials(facts.model_copy(update={"source": source}), materials.weights, materials.tokenizer)
