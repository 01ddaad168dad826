"""Claims about reading a CLIP's config.json."""

import json
from pathlib import Path

import pytest

from arthur.encode.export.config import clip_facts
from arthur.encode.spec import EngineFile
from arthur.errors import ConfigError


def read(folder: Path, config: dict[str, object], preprocessor: dict[str, object] | None = None) -> EngineFile:
    (folder / "config.json").write_text(json.dumps(config))
    if preprocessor is not None:
        (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return clip_facts(folder, name="x", licence="MIT")


def test_what_is_absent_has_the_default_of_transformers(tmp_path: Path) -> None:
    facts = read(tmp_path, {})
    assert (facts.side, facts.dim, facts.text.context, facts.text.end_token) == (224, 512, 77, 49407)
    assert (facts.clip.patch, facts.clip.heads, facts.clip.text_heads, facts.clip.activation) == (
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
        clip_facts(tmp_path, name="x", licence="MIT")
