"""Reads what an engine has to be from the `config.json` and `preprocessor_config.json` of a CLIP on Hugging Face."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from arthur.encode.spec import Activation, ClipFacts, EngineFile, ImageGraph, TextGraph
from arthur.errors import ConfigError

_LEGACY_END_TOKEN = 2
"""Older configurations give this id, which no sentence ends with; transformers then takes the highest id instead."""


class _Part(BaseModel):
    """What is absent has the value that transformers assumes."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Vision(_Part):
    image_size: int = 224
    patch_size: int = 32
    num_attention_heads: int = 12
    hidden_act: Activation = "quick_gelu"
    layer_norm_eps: float = 1e-5


class _Text(_Part):
    num_attention_heads: int = 8
    max_position_embeddings: int = 77
    hidden_act: Activation = "quick_gelu"
    layer_norm_eps: float = 1e-5
    eos_token_id: int = 49407


class _Config(_Part):
    projection_dim: int = 512
    vision: _Vision = Field(_Vision(), alias="vision_config")
    text: _Text = Field(_Text(), alias="text_config")


def _three(given: object) -> object:
    """Refuse a mean or deviation that is null, as some preprocessors write it."""
    return () if given is None else given


_Colour = Annotated[tuple[float, float, float], BeforeValidator(_three)]


class _Preprocessor(_Part):
    image_mean: _Colour = (0.48145466, 0.4578275, 0.40821073)
    image_std: _Colour = (0.26862954, 0.26130258, 0.27577711)


_Model = TypeVar("_Model", bound=BaseModel)


def clip_facts(folder: Path, *, name: str, licence: str) -> EngineFile:
    """Describe the CLIP whose configuration lies in `folder` as an engine.

    Raises:
        ConfigError: `config.json` is missing or is not that of a CLIP ViT whose towers are alike.
    """
    config = _read(folder / "config.json", _Config)
    preprocessor = folder / "preprocessor_config.json"
    colours = _read(preprocessor, _Preprocessor) if preprocessor.is_file() else _Preprocessor()
    vision, text = config.vision, config.text
    if (vision.hidden_act, vision.layer_norm_eps) != (text.hidden_act, text.layer_norm_eps):
        raise ConfigError(f"{folder / 'config.json'}: image and text tower differ in activation or epsilon")
    end_token = None if text.eos_token_id == _LEGACY_END_TOKEN else text.eos_token_id
    return EngineFile(
        name=name,
        architecture="clip",
        licence=licence,
        side=vision.image_size,
        fit="crop",
        dim=config.projection_dim,
        mean=colours.image_mean,
        std=colours.image_std,
        image=ImageGraph(file="image.onnx"),
        text=TextGraph(file="text.onnx", context=text.max_position_embeddings, end_token=end_token),
        clip=ClipFacts(
            patch=vision.patch_size,
            heads=vision.num_attention_heads,
            text_heads=text.num_attention_heads,
            activation=vision.hidden_act,
            epsilon=vision.layer_norm_eps,
        ),
    )


def _read(path: Path, kind: type[_Model]) -> _Model:
    """Read one JSON file."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: key {key!r}: {first['msg']}") from error
