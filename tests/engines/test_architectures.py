"""Claims about every architecture: its graphs compute what `transformers` and `open_clip` compute."""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from safetensors.numpy import load_file, save_file

from arthur.encode.export import clip
from arthur.encode.export.architectures import architecture, check_buildable
from arthur.encode.export.materials import local_materials
from arthur.encode.export.positions import scaled_positions
from arthur.encode.export.towers import patch_edge
from arthur.encode.export.weights import Weights
from arthur.encode.folder import EngineFolder, engine_folders
from arthur.encode.spec import EngineFile, TextGraph
from arthur.errors import ConfigError, EngineError

LIMIT = 1e-5
GOLDEN = Path(__file__).parent / "golden"
GIVEN = {"image": "pixels", "text": "tokens"}
VITS = [
    *((name, "image") for name in ("clip", "open_clip", "siglip", "dinov2", "dinov2_registers", "dinov3", "timm_vit")),
    *((name, "text") for name in ("clip", "open_clip", "siglip")),
]
TOWERS = [*VITS, ("mobileclip", "text")]


def described(name: str) -> EngineFile:
    return local_materials(GOLDEN / name).facts


def build(facts: EngineFile, weights: Path, tower: str) -> onnx.ModelProto:
    family = architecture(facts)
    return {"image": family.image, "text": family.text}[tower](Weights(weights), facts)


def run(model: onnx.ModelProto, given: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["vectors"], {session.get_inputs()[0].name: given})[0]


def vectors(name: str, tower: str, *, facts: EngineFile | None = None) -> np.ndarray:
    model = build(facts or described(name), GOLDEN / name / "model.safetensors", tower)
    return run(model, np.load(GOLDEN / name / "golden.npz")[GIVEN[tower]])


@pytest.mark.parametrize(("name", "tower"), TOWERS)
def test_a_tower_equals_its_original(name: str, tower: str) -> None:
    np.testing.assert_allclose(vectors(name, tower), np.load(GOLDEN / name / "golden.npz")[tower], atol=LIMIT)


@pytest.mark.parametrize(("name", "tower"), VITS)
def test_the_golden_answers_would_find_another_activation(name: str, tower: str) -> None:
    facts = described(name)
    other = "gelu" if facts.vit.activation == "quick_gelu" else "quick_gelu"
    changed = facts.model_copy(update={"vit": facts.vit.model_copy(update={"activation": other})})
    expected = np.load(GOLDEN / name / "golden.npz")[tower]
    assert np.abs(vectors(name, tower, facts=changed) - expected).max() > 100 * LIMIT
    assert np.abs(expected[0] - expected[1]).max() > 100 * LIMIT


@pytest.mark.parametrize(("name", "tower"), TOWERS)
def test_a_graph_is_well_formed_for_old_runtimes(name: str, tower: str) -> None:
    model = build(described(name), GOLDEN / name / "model.safetensors", tower)
    onnx.checker.check_model(model, full_check=True)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)]


TENSORS = [
    ("open_clip", "visual.transformer.resblocks.1.attn.in_proj_weight"),
    ("siglip", "vision_model.head.probe"),
    ("siglip", "vision_model.head.attention.in_proj_weight"),
    ("siglip", "text_model.head.weight"),
    ("dinov2", "embeddings.position_embeddings"),
    ("dinov2", "encoder.layer.1.layer_scale2.lambda1"),
    ("dinov3", "layer.1.mlp.up_proj.weight"),
    ("dinov3", "embeddings.register_tokens"),
    ("timm_vit", "blocks.1.attn.qkv.weight"),
    ("timm_vit", "pos_embed"),
    ("dinov2_registers", "embeddings.register_tokens"),
]


def changed(name: str, tensor: str, values: np.ndarray | None, path: Path) -> onnx.ModelProto:
    """Build a tower from weights in which one tensor is another one, or missing."""
    tensors = load_file(GOLDEN / name / "model.safetensors")
    del tensors[tensor]
    save_file(tensors if values is None else {**tensors, tensor: values}, path)
    return build(described(name), path, "text" if tensor.startswith("text_") else "image")


@pytest.mark.parametrize(("name", "tensor"), TENSORS)
@pytest.mark.parametrize("shape", [(), (5,), (7, 3)], ids=["number", "row", "table"])
def test_a_tensor_of_another_shape_is_named(tmp_path: Path, name: str, tensor: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(EngineError, match=f"{tensor.split('.')[0]}.* is "):
        changed(name, tensor, np.ones(shape, np.float32), tmp_path / "other.safetensors")


@pytest.mark.parametrize(("name", "tensor"), TENSORS[:-1])
def test_a_missing_tensor_is_named(tmp_path: Path, name: str, tensor: str) -> None:
    with pytest.raises(EngineError, match=f"has no tensor {tensor}"):
        changed(name, tensor, None, tmp_path / "other.safetensors")


def test_an_architecture_that_cannot_be_built_is_named() -> None:
    facts = described("clip").model_copy(update={"architecture": "resnet"})
    with pytest.raises(ConfigError, match=r"Arthur builds clip, dinov2, .*, timm-vit, not 'resnet'"):
        architecture(facts)


def test_a_word_of_a_mobileclip_sees_those_after_it() -> None:
    facts = described("mobileclip").model_copy(update={"vit": described("open_clip").vit})
    causal = run(clip.text_graph(Weights(GOLDEN / "mobileclip" / "model.safetensors"), facts), golden("tokens"))
    assert np.abs(causal - golden("text")).max() > 100 * LIMIT


def golden(name: str) -> np.ndarray:
    return np.load(GOLDEN / "mobileclip" / "golden.npz")[name]


def test_a_graph_that_torch_wrote_equals_its_original() -> None:
    model = onnx.load_model(GOLDEN / "mobileclip" / "image.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)]
    np.testing.assert_allclose(run(model, golden("pixels")), golden("image"), atol=LIMIT)
    np.testing.assert_allclose(run(model, golden("pixels")[:1]), golden("image")[:1], atol=LIMIT)


def test_a_vit_that_is_not_plain_is_refused(tmp_path: Path) -> None:
    tensors = load_file(GOLDEN / "timm_vit" / "model.safetensors")
    save_file({**tensors, "blocks.0.ls1.gamma": np.ones(16, np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(EngineError, match=r"has a tensor blocks\.0\.ls1\.gamma, which no plain ViT has"):
        build(described("timm_vit"), tmp_path / "other.safetensors", "image")


def test_what_torch_builds_says_so_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigError, match=r"engine mobileclip is built with torch and timm.* 'arthur-imgreco\[export"):
        check_buildable(described("mobileclip"))


def test_a_dinov2_has_no_text_tower() -> None:
    facts = described("dinov2").model_copy(update={"text": TextGraph(file="text.onnx")})
    with pytest.raises(ConfigError, match=r"a dinov2 has no text tower, but engine\.toml has \[text\]"):
        architecture(facts)


def test_a_siglip_needs_the_heads_of_its_text_tower() -> None:
    facts = described("siglip")
    headless = facts.model_copy(update={"vit": facts.vit.model_copy(update={"text_heads": None})})
    with pytest.raises(ConfigError, match=r"\[vit\] has no text_heads"):
        vectors("siglip", "text", facts=headless)


def test_a_dinov3_needs_the_base_of_its_angles() -> None:
    facts = described("dinov3")
    without = facts.model_copy(update={"vit": facts.vit.model_copy(update={"theta": None})})
    with pytest.raises(ConfigError, match=r"\[vit\] has no theta"):
        vectors("dinov3", "image", facts=without)


def test_positions_of_the_same_edge_stay() -> None:
    positions = np.arange(18, dtype=np.float32).reshape(9, 2)
    assert scaled_positions(positions, 3, smooth=False) is positions


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("edge", [2, 5, 9])
def test_scaling_keeps_what_is_constant(edge: int, *, smooth: bool) -> None:
    scaled = scaled_positions(np.full((16, 3), 0.25, np.float32), edge, smooth=smooth)
    np.testing.assert_allclose(scaled, np.full((edge * edge, 3), 0.25), rtol=1e-6)


def test_positions_of_no_square_are_refused() -> None:
    with pytest.raises(EngineError, match="8 positions of patches are not those of a square"):
        scaled_positions(np.ones((8, 2), np.float32), 4, smooth=False)


@pytest.mark.parametrize("engine", [one for one in engine_folders(()) if not one.ready], ids=lambda one: one.facts.name)
def test_a_packaged_engine_tells_what_it_is_built_from(engine: EngineFolder) -> None:
    facts = engine.facts
    assert engine.path.name == facts.folder_name
    assert facts.timm or patch_edge(facts) * facts.vit.patch == facts.side
    assert (architecture(facts).text is None) == (facts.text is None)
    assert facts.timm or (facts.text is None) == (facts.vit.text_heads is None)
    assert facts.source is not None
