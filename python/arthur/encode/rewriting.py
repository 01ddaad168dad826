"""Writes an engine's graph as a version of TensorRT wants it: with types that tell precisions, or with scales."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import onnx

from arthur.encode.export.scaled import raised, scaled
from arthur.encode.export.typed import typed
from arthur.encode.folder import EngineFolder
from arthur.encode.spec import Variant
from arthur.errors import ConfigError

_INLINE = 1 << 30
"""Bytes from which weights lie beside a graph: one message holds no more than two of these."""


@contextmanager
def rewritten(folder: EngineFolder, precision: Variant, limits: Mapping[str, float], *, strong: bool) -> Iterator[Path]:
    """Write the graph in that precision; the file vanishes when the block ends.

    Args:
        folder: the engine.
        precision: any but the full one.
        limits: how large numbers get, for int8 and fp8; see `export.ranges`.
        strong: whether types are obeyed.

    Raises:
        ConfigError: the weights do not fit into the precision.
        EngineError: the graph is not the engine's.
    """
    model = onnx.load(folder.checked(folder.facts.image))
    rounds = precision == "int8" or precision == "fp8"
    try:
        if precision == "int8" or precision == "fp8":
            model = scaled(model, precision, limits)
        if strong:
            model = typed(model, "bf16" if precision == "bf16" else "fp16")
            model = raised(model) if rounds else model
    except ValueError as error:
        raise ConfigError(f"engine {folder.facts.name} does not fit into {precision}: {error}") from error
    with tempfile.TemporaryDirectory(prefix="arthur-plan-") as scratch:
        path = Path(scratch) / "graph.onnx"
        onnx.save(model, path, save_as_external_data=model.ByteSize() > _INLINE, location="weights")
        yield path
