"""Which builder makes the graphs of which family of engines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import onnx

from arthur.encode.export import clip, dinov2, dinov3, mobileclip, siglip, timm_vit
from arthur.encode.export.torch_built import check_torch, timm_graph
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


_FAMILIES: Mapping[str, Architecture] = MappingProxyType(
    {
        "clip": Architecture(clip.image_graph, clip.text_graph),
        "siglip": Architecture(siglip.image_graph, siglip.text_graph),
        "dinov2": Architecture(dinov2.image_graph),
        "dinov3": Architecture(dinov3.image_graph),
        "mobileclip": Architecture(timm_graph, mobileclip.text_graph),
        "timm-vit": Architecture(timm_vit.image_graph),
        "timm": Architecture(timm_graph),
    }
)


def check_buildable(facts: EngineFile) -> None:
    """Make sure that an engine can be built here, before its weights are downloaded.

    Raises:
        ConfigError: it cannot; tells what to install where that helps.
    """
    if architecture(facts).image is timm_graph:
        check_torch(f"engine {facts.name}")


def architecture(facts: EngineFile) -> Architecture:
    """Return the builders for an engine.

    Raises:
        ConfigError: Arthur does not build engines of that architecture, or it has no text tower but a [text] table.
    """
    found = _FAMILIES.get(facts.architecture)
    if found is None:
        known = ", ".join(sorted(_FAMILIES))
        raise ConfigError(f"engine {facts.name}: Arthur builds {known}, not {facts.architecture!r}")
    if facts.text and found.text is None:
        raise ConfigError(f"engine {facts.name}: a {facts.architecture} has no text tower, but engine.toml has [text]")
    return found
