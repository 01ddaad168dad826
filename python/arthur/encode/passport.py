"""The passport of an engine as it runs: its files, its precision, what runs it and where, and how near it comes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from blake3 import blake3

from arthur.encode.folder import EngineFolder, sha256_of
from arthur.encode.runners import cpu_model, runtime_of
from arthur.encode.spec import BinaryFile, EngineSpec, GraphFile, Variant
from arthur.errors import EngineError
from arthur.types import JsonValue, Passport

_ID_DIGITS = 16


def passport_of(folder: EngineFolder, spec: EngineSpec, *, golden: float | None) -> Passport:
    """Return the passport of an engine that was loaded on the CPU.

    Args:
        folder: where it was loaded from.
        spec: with the variant that runs.
        golden: the largest 1 - cosine to its golden vectors at load; None where it has none.

    Raises:
        EngineError: a file cannot be read.
    """
    facts, graph = folder.facts, _graph(folder, spec.variant)
    weights = graph.weights or facts.image.weights
    built = facts.passport
    measured: dict[str, JsonValue] = {} if golden is None else {"golden_distance": float(f"{golden:.0e}")}
    if built is not None and built.precision == spec.variant:
        measured |= {"cosine": built.cosine, "pictures": built.pictures}
    passport = sealed(
        {
            "engine": spec.label,
            "fingerprint": spec.fingerprint,
            "graph_sha256": _hash(folder, graph),
            "weights_sha256": _source_hash(folder) if weights is None else _hash(folder, weights),
            "precision": spec.variant,
            "runtime": runtime_of(spec.variant),
            "device": cpu_model(),
            "parity": measured,
        }
    )
    return replace(passport, source=str(folder.path.resolve()))


def sealed(facts: Mapping[str, JsonValue]) -> Passport:
    """Write facts as a passport; equal facts have equal ids."""
    document = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return Passport(str(blake3(document.encode()).hexdigest())[:_ID_DIGITS], document)


def _graph(folder: EngineFolder, variant: Variant) -> GraphFile:
    """Return the graph that runs; bf16 is made from the full one when it is loaded."""
    image = folder.facts.image
    return image.int8 if variant == "int8" and image.int8 is not None else image


def _source_hash(folder: EngineFolder) -> str | None:
    """Return the hash of the weights that the graph was made of, where the engine tells it."""
    source = folder.facts.source
    return None if source is None else source.sha256


def _hash(folder: EngineFolder, part: BinaryFile) -> str:
    if part.sha256:
        return part.sha256
    path = folder.path / part.file
    try:
        return sha256_of(path)
    except OSError as error:
        raise EngineError(f"engine {folder.facts.name}: {path} cannot be read: {error.strerror}") from error
