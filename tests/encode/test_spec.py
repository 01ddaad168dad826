"""Claims about engine.toml."""

from pathlib import Path

import pytest

from arthur.encode.spec import EngineFile, engine_file_text, folder_name, read_engine_file
from arthur.errors import ConfigError

WHOLE = """
name = "clip-tiny"
architecture = "clip"
licence = "MIT"
side = 32
fit = "crop"
dim = 16
mean = [0.48, 0.45, 0.40]
std = [0.26, 0.26, 1e-5]
[image]
file = "image.onnx"
[image.int8]
file = "image.int8.onnx"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
[text]
file = "text.onnx"
end_token = 9
[golden]
file = "golden.npz"
[source]
repository = "someone/some.model-1"
[vit]
patch = 8
heads = 2
text_heads = 2
activation = "quick_gelu"
[passport]
precision = "bf16"
runtime = "openvino 1"
cpu = "some"
pictures = 2
cosine = 0.999
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "engine.toml"


def read(file: Path, text: str) -> EngineFile:
    file.write_text(text)
    return read_engine_file(file)


def test_a_whole_file_is_read(file: Path) -> None:
    facts = read(file, WHOLE)
    assert (facts.name, facts.folder_name, facts.fit) == ("clip-tiny", "clip_tiny", "crop")
    assert facts.text is not None
    assert (facts.text.context, facts.text.end_token) == (77, 9)
    assert facts.golden is not None
    assert facts.golden.tolerance == 1e-3


def test_the_documented_example_is_a_valid_file(file: Path) -> None:
    document = (Path(__file__).parents[2] / "engines" / "README.md").read_text()
    example = document.split("```toml\n")[1].split("```")[0].replace('"..."', f'"{"0" * 64}"')
    facts = read(file, example)
    assert set(EngineFile.model_fields) == facts.model_fields_set


def test_facts_survive_being_written(file: Path) -> None:
    facts = read(file, WHOLE)
    assert read(file, engine_file_text(facts)) == facts


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("side = 32", "side = 32\ncolour = 1", "colour"),
        ("side = 32", "side = 8", "side"),
        ("side = 32", "", "side"),
        ('fit = "crop"', 'fit = "pad"', "fit"),
        ("0.40]", "nan]", "mean.2"),
        ("1e-5]", "0.0]", "std.2"),
        ('"image.onnx"', '"../image.onnx"', "image.file"),
        ('"image.onnx"', '"image.onnx"\nsha256 = "abc"', "image.sha256"),
        ("patch = 8", 'patch = 8\nmode = "x"', "vit.mode"),
        ('name = "clip-tiny"', 'name = "Clip/Tiny"', "name"),
    ],
)
def test_a_wrong_key_is_named_with_its_file(file: Path, old: str, new: str, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(file, WHOLE.replace(old, new, 1))
    assert str(caught.value).startswith(f"{file}: key {key!r}: ")
    assert "\n" not in str(caught.value)


def test_what_is_not_toml_is_refused(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"engine\.toml: not TOML"):
        read(file, "name = [")


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_what_cannot_be_read_is_refused(file: Path, content: bytes | None) -> None:
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"engine\.toml: cannot be read"):
        read_engine_file(file)


def test_a_folder_is_named_after_its_engine() -> None:
    assert folder_name("clip-vit-b32.v1") == "clip_vit_b32_v1"
