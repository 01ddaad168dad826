"""Claims about rewritten graphs: they compute nearly the same, in the types that they tell."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from arthur.encode.export.ranges import ranges
from arthur.encode.export.scaled import raised, scaled
from arthur.encode.export.typed import typed
from arthur.encode.golden import distances
from arthur.encode.samples import drawn
from arthur.errors import EngineError
from tests.engines.test_architectures import GOLDEN, build, described, run

FAMILIES = ("clip", "open_clip", "siglip", "dinov2", "dinov2_registers", "dinov3")
MINI = Path(__file__).parents[2] / "engines" / "arthur_mini" / "arthur-mini.onnx"


def graph(name: str) -> onnx.ModelProto:
    return build(described(name), GOLDEN / name / "model.safetensors", "image")


def moved(name: str, other: onnx.ModelProto) -> float:
    pixels = drawn(described(name).side, count=4)
    return float(distances(run(other, pixels), run(graph(name), pixels)).max())


@pytest.mark.parametrize("name", FAMILIES)
def test_a_half_precise_graph_is_near_the_full_one(name: str) -> None:
    half = typed(graph(name), "fp16")
    onnx.checker.check_model(half, full_check=True)
    assert moved(name, half) < 1e-4


@pytest.mark.parametrize("half", ["fp16", "bf16"])
@pytest.mark.parametrize("name", FAMILIES)
def test_every_product_is_in_half_precision_and_every_length_in_full(name: str, half: str) -> None:
    kind = {"fp16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}[half]
    model = onnx.shape_inference.infer_shapes(typed(graph(name), half))
    types = {value.name: value.type.tensor_type.elem_type for value in model.graph.value_info}
    found = {(node.op_type, types[node.output[0]]) for node in model.graph.node if node.output[0] in types}
    assert {kind_ for operator, kind_ in found if operator == "MatMul"} == {kind}
    assert {kind_ for operator, kind_ in found if operator == "ReduceL2"} == {TensorProto.FLOAT}
    assert model.graph.output[0].type.tensor_type.elem_type == TensorProto.FLOAT


def test_a_convolutional_engine_can_be_half_precise() -> None:
    model, pixels = onnx.load(MINI), drawn(160, count=2)
    full = run(model, pixels)
    assert distances(run(typed(model, "fp16"), pixels), full).max() < 1e-4


def test_weights_that_do_not_fit_are_refused() -> None:
    model = graph("clip")
    tensor = next(tensor for tensor in model.graph.initializer if len(tensor.dims) == 2)
    tensor.raw_data = np.full(tuple(tensor.dims), 1e6, np.float32).tobytes()
    with pytest.raises(ValueError, match=f"the constant {tensor.name} does not fit into float16"):
        typed(model, "fp16")


@pytest.mark.parametrize(("rounding", "limit"), [("int8", 3e-3), ("fp8", 2e-2)])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_rounded_graph_stays_near(tmp_path: Path, name: str, rounding: str, limit: float) -> None:
    onnx.save(graph(name), tmp_path / "image.onnx")
    limits = ranges(tmp_path / "image.onnx", drawn(described(name).side, count=8))
    rounded = raised(typed(scaled(graph(name), rounding, limits), "fp16"))
    onnx.checker.check_model(rounded, full_check=True)
    assert 0 < moved(name, rounded) < limit


def test_rounding_needs_no_newer_operators_where_types_are_not_obeyed(tmp_path: Path) -> None:
    onnx.save(graph("clip"), tmp_path / "image.onnx")
    limits = ranges(tmp_path / "image.onnx", drawn(32, count=4))
    rounded = scaled(graph("clip"), "int8", limits)
    assert rounded.opset_import[0].version == 17
    assert moved("clip", rounded) < 3e-3


def test_a_graph_without_products_cannot_be_calibrated() -> None:
    with pytest.raises(EngineError, match="has no matrix product with weights"):
        ranges(MINI, drawn(160, count=1))


def test_what_is_no_graph_cannot_be_calibrated(tmp_path: Path) -> None:
    (tmp_path / "image.onnx").write_bytes(b"no graph")
    with pytest.raises(EngineError, match="cannot be calibrated"):
        ranges(tmp_path / "image.onnx", drawn(32, count=1))
