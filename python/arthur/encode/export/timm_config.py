"""Reads what an engine has to be from the `config.json` of a model of `timm`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, JsonValue

from arthur.encode.export.reading import Colour, Part, read_json
from arthur.encode.export.torch_built import timm_width
from arthur.encode.spec import EngineFile, ImageGraph, TimmFacts, VitFacts

_PLAIN_VIT = re.compile(r"(?:vit|deit)_(?:tiny|small|base|large)_patch(\d+)_\d+")
"""Names of the ViTs whose vector is that of the class token, and whose layers have nothing but the usual."""
_HEAD_WIDTH = 64
_OURS = frozenset({"num_classes", "exportable", "scriptable"})
"""Arguments that are not the model's to choose here."""


class _Prepared(Part):
    input_size: tuple[int, int, int]
    mean: Colour
    std: Colour
    crop_mode: Literal["center", "squash", "border"] = "center"
    license: str | None = None


class _Timm(Part):
    architecture: str
    num_features: int
    global_pool: str | None = None
    arguments: dict[str, JsonValue] = Field(default_factory=dict, alias="model_args")
    prepared: _Prepared = Field(alias="pretrained_cfg")


def timm_facts(path: Path, *, name: str, licence: str) -> EngineFile:
    """Describe the model of that `config.json`: a plain ViT for our own builder, every other one for `torch`.

    Raises:
        ConfigError: it is not the configuration of a model of `timm`, or one for `torch`, which is not installed.
    """
    given = read_json(path, _Timm)
    prepared, plain = given.prepared, _plain(given)
    arguments = {key: value for key, value in given.arguments.items() if key not in _OURS}
    timm = TimmFacts(model=given.architecture, arguments=arguments)
    return EngineFile(
        name=name,
        architecture="timm-vit" if plain else "timm",
        licence=prepared.license or licence,
        side=prepared.input_size[1],
        fit="stretch" if prepared.crop_mode == "squash" else "crop",
        dim=given.num_features if plain else timm_width(timm),
        mean=prepared.mean,
        std=prepared.std,
        image=ImageGraph(file="image.onnx"),
        vit=plain,
        timm=None if plain else timm,
    )


def _plain(given: _Timm) -> VitFacts | None:
    """Return the facts of a plain ViT; None for every other model."""
    found, side = _PLAIN_VIT.fullmatch(given.architecture), given.prepared.input_size[1]
    usual = {"in_chans": (3,), "global_pool": ("token",), "img_size": (side, [side, side])}
    changed = [key for key, value in given.arguments.items() if key not in _OURS and value not in usual.get(key, ())]
    if not found or changed or given.global_pool not in {None, "token"}:
        return None
    heads = given.num_features // _HEAD_WIDTH
    return VitFacts(patch=int(found[1]), heads=heads, activation="gelu", epsilon=1e-6)
