"""Graphs that `torch` writes, for models that Arthur does not build itself; `torch` is loaded when one is wanted.

It never has to be where Arthur runs: an engine that was pulled in an environment with `torch` runs in one without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx

from arthur.encode.export.weights import Weights
from arthur.encode.spec import EngineFile, TimmFacts
from arthur.errors import ConfigError

if TYPE_CHECKING:
    from types import ModuleType


def check_torch(engine: str) -> None:
    """Make sure that a model for `torch` can be built here.

    Raises:
        ConfigError: `torch` or `timm` is not installed; tells how to go on.
    """
    _tower(engine)


def timm_width(timm: TimmFacts) -> int:
    """Return the length of the vectors of a model of `timm`.

    Raises:
        ConfigError: `torch` is not installed, or `timm` has no such model.
    """
    width: int = _tower(timm.model).vector_width(timm)
    return width


def timm_graph(weights: Weights, facts: EngineFile) -> onnx.ModelProto:
    """Build the image tower of any model of `timm`: `pixels` uint8 to `vectors` float32 (n, dim) unit rows.

    Raises:
        ConfigError: `torch` is not installed, or `facts` do not describe a model of `timm`.
        EngineError: the weights are not those of the model, or it cannot be exported.
    """
    model: onnx.ModelProto = _tower(facts.name).image_graph(weights, facts)
    return model


def _tower(engine: str) -> ModuleType:
    try:
        from arthur.encode.export import torch_tower
    except ImportError as error:
        raise ConfigError(
            f"{engine} is built with torch and timm, which are not installed; in an environment of its own, "
            "pip install 'arthur-imgreco[export,pull]' and pull it there into the same data folder"
        ) from error
    return torch_tower
