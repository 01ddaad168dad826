"""Reads what an engine has to be from the `config.json` and `preprocessor_config.json` of a model on Hugging Face."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, JsonValue

from arthur.encode.export.reading import Colour, Part, read_json
from arthur.encode.export.timm_config import timm_facts
from arthur.encode.spec import Activation, EngineFile, ImageGraph, TextGraph, VitFacts
from arthur.errors import ConfigError

_LEGACY_END_TOKEN = 2
"""Older configurations give this id, which no sentence ends with; transformers then takes the highest id instead."""
_GEMMA_WORDS = 256_000
"""SigLIP 2 has Gemma's vocabulary, whose padding is 0; its configuration still tells that of SigLIP."""
_SENTENCE_PIECE_END = 1
"""What ends a sentence in the vocabularies of SigLIP and of Gemma."""


class _Kind(Part):
    model_type: str = "clip"
    pretrained_cfg: JsonValue = None


class _Vision(Part):
    image_size: int = 224
    patch_size: int = 32
    num_attention_heads: int = 12
    hidden_act: Activation = "quick_gelu"
    layer_norm_eps: float = 1e-5


class _Text(Part):
    num_attention_heads: int = 8
    max_position_embeddings: int = 77
    hidden_act: Activation = "quick_gelu"
    layer_norm_eps: float = 1e-5
    eos_token_id: int = 49407


class _Clip(Part):
    projection_dim: int = 512
    vision: _Vision = Field(_Vision(), alias="vision_config")
    text: _Text = Field(_Text(), alias="text_config")


class _SiglipVision(Part):
    image_size: int = 224
    patch_size: int = 16
    hidden_size: int = 768
    num_attention_heads: int = 12
    hidden_act: Literal["gelu_pytorch_tanh"] = "gelu_pytorch_tanh"
    layer_norm_eps: float = 1e-6
    vision_use_head: Literal[True] = True


class _SiglipText(Part):
    num_attention_heads: int = 12
    max_position_embeddings: int = 64
    hidden_act: Literal["gelu_pytorch_tanh"] = "gelu_pytorch_tanh"
    layer_norm_eps: float = 1e-6
    vocab_size: int = 32_000
    pad_token_id: int = 1


class _Siglip(Part):
    vision: _SiglipVision = Field(_SiglipVision(), alias="vision_config")
    text: _SiglipText = Field(_SiglipText(), alias="text_config")


class _Dinov2(Part):
    hidden_size: int = 768
    patch_size: int = 14
    num_attention_heads: int = 12
    hidden_act: Literal["gelu"] = "gelu"
    layer_norm_eps: float = 1e-6
    use_swiglu_ffn: Literal[False] = False


class _Dinov3(Part):
    hidden_size: int = 384
    patch_size: int = 16
    num_attention_heads: int = 6
    hidden_act: Literal["gelu"] = "gelu"
    layer_norm_eps: float = 1e-5
    rope_theta: float = 100.0
    use_gated_mlp: Literal[False] = False
    key_bias: Literal[False] = False


def _height(given: object) -> object:
    """Take the height of a size that is given as two edges."""
    return given.get("height") if isinstance(given, dict) else given


_Edge = Annotated[int, BeforeValidator(_height)]


class _ClipPreprocessor(Part):
    image_mean: Colour = (0.48145466, 0.4578275, 0.40821073)
    image_std: Colour = (0.26862954, 0.26130258, 0.27577711)


class _SiglipPreprocessor(Part):
    image_mean: Colour = (0.5, 0.5, 0.5)
    image_std: Colour = (0.5, 0.5, 0.5)


class _Dinov2Preprocessor(Part):
    image_mean: Colour = (0.485, 0.456, 0.406)
    image_std: Colour = (0.229, 0.224, 0.225)
    crop_size: _Edge = 224


class _Dinov3Preprocessor(Part):
    image_mean: Colour = (0.485, 0.456, 0.406)
    image_std: Colour = (0.229, 0.224, 0.225)
    size: _Edge = 224


_Model = TypeVar("_Model", bound=BaseModel)


def engine_facts(folder: Path, *, name: str, licence: str) -> EngineFile:
    """Describe the model whose configuration lies in `folder` as an engine.

    Raises:
        ConfigError: `config.json` is missing, or is not that of a model that Arthur can build.
    """
    path = folder / "config.json"
    given = read_json(path, _Kind)
    if given.pretrained_cfg is not None:  # only `timm` writes that
        return timm_facts(path, name=name, licence=licence)
    match kind := given.model_type:
        case "clip":
            return _clip_facts(folder, name, licence)
        case "siglip":
            return _siglip_facts(folder, name, licence)
        case "dinov2" | "dinov2_with_registers":
            return _dinov2_facts(folder, name, licence)
        case "dinov3_vit":
            return _dinov3_facts(folder, name, licence)
    known = "clip, siglip, dinov2, dinov2_with_registers and dinov3_vit"
    raise ConfigError(f"{path}: model_type {kind!r} is none of {known}")


def _clip_facts(folder: Path, name: str, licence: str) -> EngineFile:
    config = read_json(folder / "config.json", _Clip)
    colours = _read_preprocessor(folder, _ClipPreprocessor)
    vision, text = config.vision, config.text
    _check_alike(folder, (vision.hidden_act, vision.layer_norm_eps), (text.hidden_act, text.layer_norm_eps))
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
        vit=VitFacts(
            patch=vision.patch_size,
            heads=vision.num_attention_heads,
            text_heads=text.num_attention_heads,
            activation=vision.hidden_act,
            epsilon=vision.layer_norm_eps,
        ),
    )


def _siglip_facts(folder: Path, name: str, licence: str) -> EngineFile:
    config = read_json(folder / "config.json", _Siglip)
    colours = _read_preprocessor(folder, _SiglipPreprocessor)
    vision, text = config.vision, config.text
    _check_alike(folder, (vision.hidden_act, vision.layer_norm_eps), (text.hidden_act, text.layer_norm_eps))
    pad = 0 if text.vocab_size >= _GEMMA_WORDS else text.pad_token_id
    return EngineFile(
        name=name,
        architecture="siglip",
        licence=licence,
        side=vision.image_size,
        fit="stretch",
        dim=vision.hidden_size,
        mean=colours.image_mean,
        std=colours.image_std,
        image=ImageGraph(file="image.onnx"),
        text=TextGraph(
            file="text.onnx",
            context=text.max_position_embeddings,
            end_token=_SENTENCE_PIECE_END,
            pad=pad,
            lowercase=True,
        ),
        vit=VitFacts(
            patch=vision.patch_size,
            heads=vision.num_attention_heads,
            text_heads=text.num_attention_heads,
            activation="gelu_tanh",
            epsilon=vision.layer_norm_eps,
        ),
    )


def _dinov2_facts(folder: Path, name: str, licence: str) -> EngineFile:
    config = read_json(folder / "config.json", _Dinov2)
    preprocessor = _read_preprocessor(folder, _Dinov2Preprocessor)
    return EngineFile(
        name=name,
        architecture="dinov2",
        licence=licence,
        side=preprocessor.crop_size,
        fit="crop",
        dim=config.hidden_size,
        mean=preprocessor.image_mean,
        std=preprocessor.image_std,
        image=ImageGraph(file="image.onnx"),
        vit=VitFacts(
            patch=config.patch_size,
            heads=config.num_attention_heads,
            activation="gelu",
            epsilon=config.layer_norm_eps,
        ),
    )


def _dinov3_facts(folder: Path, name: str, licence: str) -> EngineFile:
    config = read_json(folder / "config.json", _Dinov3)
    preprocessor = _read_preprocessor(folder, _Dinov3Preprocessor)
    return EngineFile(
        name=name,
        architecture="dinov3",
        licence=licence,
        side=preprocessor.size,
        fit="stretch",
        dim=config.hidden_size,
        mean=preprocessor.image_mean,
        std=preprocessor.image_std,
        image=ImageGraph(file="image.onnx"),
        vit=VitFacts(
            patch=config.patch_size,
            heads=config.num_attention_heads,
            activation="gelu",
            epsilon=config.layer_norm_eps,
            theta=config.rope_theta,
        ),
    )


def _check_alike(folder: Path, vision: tuple[str, float], text: tuple[str, float]) -> None:
    """Refuse towers that [vit] cannot describe together."""
    if vision != text:
        raise ConfigError(f"{folder / 'config.json'}: image and text tower differ in activation or epsilon")


def _read_preprocessor(folder: Path, kind: type[_Model]) -> _Model:
    """Read how pictures are prepared; what the family assumes where the file is absent."""
    path = folder / "preprocessor_config.json"
    return read_json(path, kind) if path.is_file() else kind()
