"""Claims about reading a CLIP's config.json."""

import json
import sys
from pathlib import Path

import pytest

from arthur.encode.export.config import engine_facts
from arthur.encode.spec import EngineFile
from arthur.errors import ConfigError


def read(folder: Path, config: dict[str, object], preprocessor: dict[str, object] | None = None) -> EngineFile:
    (folder / "config.json").write_text(json.dumps(config))
    if preprocessor is not None:
        (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return engine_facts(folder, name="x", licence="MIT")


def test_what_is_absent_has_the_default_of_transformers(tmp_path: Path) -> None:
    facts = read(tmp_path, {})
    assert (facts.side, facts.dim, facts.text.context, facts.text.end_token) == (224, 512, 77, 49407)
    assert (facts.vit.patch, facts.vit.heads, facts.vit.text_heads, facts.vit.activation) == (
        32,
        12,
        8,
        "quick_gelu",
    )


def test_an_old_end_token_means_the_highest_id(tmp_path: Path) -> None:
    assert read(tmp_path, {"text_config": {"eos_token_id": 2}}).text.end_token is None


def test_colours_come_from_the_preprocessor(tmp_path: Path) -> None:
    facts = read(tmp_path, {}, {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.5, 0.5, 0.5]})
    assert (facts.mean, facts.std) == ((0.1, 0.2, 0.3), (0.5, 0.5, 0.5))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"vision_config": {"hidden_act": "relu"}}, "vision_config.hidden_act"),
        ({"vision_config": {"hidden_act": "gelu"}}, "differ in activation"),
        ({"vision_config": []}, "vision_config"),
    ],
)
def test_what_is_no_clip_is_refused(tmp_path: Path, config: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=rf"config\.json.*{message}"):
        read(tmp_path, config)


def test_a_null_colour_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"preprocessor_config\.json: key 'image_mean"):
        read(tmp_path, {}, {"image_mean": None})


def test_a_folder_without_config_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.json cannot be read: No such file"):
        engine_facts(tmp_path, name="x", licence="MIT")


def test_a_siglip_is_stretched_and_reads_lower_case(tmp_path: Path) -> None:
    facts = read(tmp_path, {"model_type": "siglip"})
    assert (facts.architecture, facts.fit, facts.side, facts.dim) == ("siglip", "stretch", 224, 768)
    assert (facts.text.context, facts.text.pad, facts.text.lowercase) == (64, 1, True)
    assert (facts.vit.activation, facts.vit.epsilon) == ("gelu_tanh", 1e-6)


def test_a_siglip_with_the_words_of_gemma_is_padded_with_zeros(tmp_path: Path) -> None:
    facts = read(tmp_path, {"model_type": "siglip", "text_config": {"vocab_size": 256_000}})
    assert (facts.text.pad, facts.text.end_token) == (0, 1)


@pytest.mark.parametrize("kind", ["dinov2", "dinov2_with_registers"])
@pytest.mark.parametrize("crop", [{"height": 252, "width": 252}, 252])
def test_a_dinov2_is_as_large_as_its_crop(tmp_path: Path, kind: str, crop: object) -> None:
    facts = read(tmp_path, {"model_type": kind, "image_size": 518}, {"crop_size": crop})
    assert (facts.architecture, facts.side, facts.text) == ("dinov2", 252, None)
    assert facts.mean == (0.485, 0.456, 0.406)


def test_a_dinov3_tells_the_base_of_its_angles(tmp_path: Path) -> None:
    facts = read(tmp_path, {"model_type": "dinov3_vit", "rope_theta": 50.0}, {"size": {"height": 256, "width": 256}})
    assert (facts.architecture, facts.side, facts.fit, facts.vit.theta) == ("dinov3", 256, "stretch", 50.0)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "dinov3_vit", "use_gated_mlp": True}, "use_gated_mlp"),
        ({"model_type": "siglip2"}, "model_type 'siglip2' is none of clip, siglip, dinov2"),
        ({"model_type": "siglip", "vision_config": {"vision_use_head": False}}, "vision_use_head"),
        ({"model_type": "dinov2", "use_swiglu_ffn": True}, "use_swiglu_ffn"),
    ],
)
def test_relatives_that_cannot_be_built_are_refused(tmp_path: Path, config: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, config)


TIMM = {
    "architecture": "vit_small_patch32_224",
    "num_features": 384,
    "global_pool": "token",
    "model_args": {"in_chans": 3, "num_classes": 1000, "global_pool": "token", "img_size": [224, 224]},
    "pretrained_cfg": {
        "input_size": [3, 224, 224], "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "license": "apache-2.0",
    },
}  # fmt: skip


def test_a_plain_vit_of_timm_is_described(tmp_path: Path) -> None:
    facts = read(tmp_path, TIMM)
    assert (facts.architecture, facts.side, facts.dim, facts.fit) == ("timm-vit", 224, 384, "crop")
    assert (facts.vit.patch, facts.vit.heads, facts.vit.activation, facts.vit.epsilon) == (32, 6, "gelu", 1e-6)
    assert (facts.licence, facts.timm, facts.text) == ("apache-2.0", None, None)


@pytest.mark.parametrize(
    "change",
    [
        {"architecture": "resnet18"},
        {"architecture": "vit_base_patch16_siglip_224"},
        {"model_args": {"qk_norm": True}},
        {"model_args": {"img_size": 256}},
        {"global_pool": "avg"},
    ],
)
def test_other_models_of_timm_need_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigError, match=r"is built with torch and timm, which are not installed"):
        read(tmp_path, {**TIMM, **change})


def test_a_timm_config_without_input_size_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.json: key 'pretrained_cfg\.input_size'"):
        read(tmp_path, {**TIMM, "pretrained_cfg": {"mean": [0, 0, 0], "std": [1, 1, 1]}})
