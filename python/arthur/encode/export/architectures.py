"""Which builder makes the graphs of which family of engines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import onnx

from arthur.encode.export import clip, dinov2, dinov3, siglip
from arthur.encode.export.weights import Weights
from arthur.encode.spec import EngineFile
from arthur.errors import ConfigError

Build: TypeAlias = Callable[[Weights, EngineFile], onnx.ModelProto]


@dataclass(frozen=True, slots=True)
class Architecture:
    """Builders of the towers of one family.

    Attributes:
        image: builds the image tower; see `clip.image_graph`.
        text: builds the text tower, or None where the family has none.
    """

    image: Build
    text: Build | None = None


def architecture(facts: EngineFile) -> Architecture:
    """Return the builders for an engine.

    Raises:
        ConfigError: Arthur does not build engines of that architecture, or it has no text tower but a [text] table.
    """
    match facts.architecture:
        case "clip":
            found = Architecture(clip.image_graph, clip.text_graph)
        case "siglip":
            found = Architecture(siglip.image_graph, siglip.text_graph)
        case "dinov2":
            found = Architecture(dinov2.image_graph)
        case "dinov3":
            found = Architecture(dinov3.image_graph)
        case other:
            raise ConfigError(f"engine {facts.name}: Arthur builds clip, siglip, dinov2 and dinov3, not {other!r}")
    if facts.text and found.text is None:
        raise ConfigError(f"engine {facts.name}: a {facts.architecture} has no text tower, but engine.toml has [text]")
    return found
