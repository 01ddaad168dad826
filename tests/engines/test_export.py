"""Claims about exported graphs: they compute what `transformers` computes, and wrong weights are named."""

from collections.abc import Callable
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from safetensors.numpy import load_file, save_file

from arthur.encode.export.clip import image_graph, text_graph
from arthur.encode.export.graph import Graph, pixels_input
from arthur.encode.export.weights import Weights
from arthur.encode.spec import EngineFile
from arthur.errors import ArthurError, ConfigError, EngineError

LIMIT = 1e-5
TOWERS = {"image": (image_graph, "pixels"), "text": (text_graph, "tokens")}


def run(model: onnx.ModelProto, given: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["vectors"], {session.get_inputs()[0].name: given})[0]


def with_vit(facts: EngineFile, **changes: object) -> EngineFile:
    return facts.model_copy(update={"vit": facts.vit.model_copy(update=changes)})


@pytest.mark.parametrize("tower", TOWERS)
def test_a_row_alone_equals_the_row_of_a_batch(clip_folder: Path, facts: EngineFile, tower: str) -> None:
    build, given = TOWERS[tower]
    rows = np.load(clip_folder / "golden.npz")[given]
    model = build(Weights(clip_folder / "model.safetensors"), facts)
    np.testing.assert_allclose(run(model, rows[:1]), run(model, rows)[:1], atol=LIMIT)


def test_a_named_end_token_is_found_like_the_highest_id(clip_folder: Path, facts: EngineFile) -> None:
    golden = np.load(clip_folder / "golden.npz")
    ended = facts.model_copy(update={"text": facts.text.model_copy(update={"end_token": 63})})
    model = text_graph(Weights(clip_folder / "model.safetensors"), ended)
    np.testing.assert_allclose(run(model, golden["tokens"]), golden["text"], atol=LIMIT)


@pytest.mark.parametrize("build", [image_graph, text_graph])
def test_a_graph_is_well_formed_for_old_runtimes(
    clip_folder: Path, facts: EngineFile, build: Callable[..., onnx.ModelProto]
) -> None:
    model = build(Weights(clip_folder / "model.safetensors"), facts)
    onnx.checker.check_model(model, full_check=True)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)]


@pytest.mark.parametrize("build", [image_graph, text_graph])
def test_equal_weights_make_equal_bytes(
    clip_folder: Path, facts: EngineFile, build: Callable[..., onnx.ModelProto]
) -> None:
    graphs = [build(Weights(clip_folder / "model.safetensors"), facts).SerializeToString() for _ in range(2)]
    assert graphs[0] == graphs[1]


@pytest.mark.parametrize("kind", [np.float16, ml_dtypes.bfloat16])
def test_half_precision_weights_are_read(clip_folder: Path, facts: EngineFile, kind: type) -> None:
    path = clip_folder / "model.safetensors"
    save_file({name: tensor.astype(kind) for name, tensor in load_file(path).items()}, path)
    golden = np.load(clip_folder / "golden.npz")
    vectors = run(image_graph(Weights(path), facts), golden["pixels"])
    np.testing.assert_allclose(vectors, golden["image"], atol=0.05)


def changed(folder: Path, name: str, tensor: np.ndarray | None) -> Weights:
    """The golden weights with one tensor replaced or taken out."""
    tensors = load_file(folder / "model.safetensors")
    tensors.pop(name)
    if tensor is not None:
        tensors[name] = tensor
    save_file(tensors, folder / "other.safetensors")
    return Weights(folder / "other.safetensors")


@pytest.mark.parametrize(
    ("name", "tensor", "message"),
    [
        ("visual_projection.weight", None, "has no tensor visual_projection.weight"),
        ("visual_projection.weight", np.ones((9, 32), np.float32), r"is \(9, 32\), not \(16, 32\)"),
        ("vision_model.embeddings.class_embedding", np.full(32, np.nan, np.float32), "not finite"),
        ("vision_model.encoder.layers.1.mlp.fc2.bias", None, "has no tensor .*layers.1.mlp.fc2.bias"),
    ],
    ids=["missing", "shape", "nan", "layer"],
)
def test_wrong_weights_are_named(
    clip_folder: Path, facts: EngineFile, name: str, tensor: np.ndarray | None, message: str
) -> None:
    with pytest.raises(EngineError, match=message):
        image_graph(changed(clip_folder, name, tensor), facts)


@pytest.mark.parametrize("kept", [0, 7, 100, 100_000])
def test_truncated_weights_are_refused(clip_folder: Path, kept: int) -> None:
    path = clip_folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(EngineError, match="is not a safetensors file"):
        Weights(path)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"vit": None}, ConfigError, r"no \[vit\] table"),
        ({"side": 33}, ConfigError, "side 33 is not a multiple of patch 8"),
        ({"side": 40}, EngineError, r"position_embedding.weight is \(17, 32\), not \(26, 32\)"),
        ({"dim": 17}, EngineError, r"visual_projection.weight is \(16, 32\), not \(17, 32\)"),
    ],
    ids=["no clip", "patch", "side", "dim"],
)
def test_facts_that_do_not_fit_the_weights_are_refused(
    clip_folder: Path, facts: EngineFile, changes: dict[str, object], error: type[ArthurError], message: str
) -> None:
    with pytest.raises(error, match=message):
        image_graph(Weights(clip_folder / "model.safetensors"), facts.model_copy(update=changes))


def test_heads_that_do_not_divide_the_width_are_refused(clip_folder: Path, facts: EngineFile) -> None:
    with pytest.raises(EngineError, match="32 wide, which 5 heads do not divide"):
        image_graph(Weights(clip_folder / "model.safetensors"), with_vit(facts, heads=5))


def test_a_text_tower_needs_its_table(clip_folder: Path, facts: EngineFile) -> None:
    with pytest.raises(ConfigError, match=r"no \[text\] table"):
        text_graph(Weights(clip_folder / "model.safetensors"), facts.model_copy(update={"text": None}))


def test_gelu_is_that_of_the_error_function() -> None:
    graph = Graph("gelu")
    values = graph.node("Cast", "pixels", to=onnx.TensorProto.FLOAT)
    flat = graph.reshape(graph.gelu(graph.node("Sub", values, graph.constant(3.0))), [0, 3])
    given = np.array([0, 3, 6], np.uint8).reshape(1, 1, 1, 3)
    answer = run(graph.model(pixels_input(1), flat, dim=3), given)
    np.testing.assert_allclose(answer, [[-0.0040496, 0, 2.9959502]], atol=1e-6)
