"""Claims about graphs as torch's exporter writes them: constants as nodes, and nodes of constants alone."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from arthur.encode.export.typed import typed
from tests.engines.test_architectures import run

SIDE = 4


def exported() -> onnx.ModelProto:
    """Scale pixels by a constant node and by a renamed weight, and project them."""
    rng = np.random.default_rng(0)
    weights = {"matrix": rng.standard_normal((SIDE * SIDE * 3, 2)).astype(np.float32), "scale": np.float32([0.5])}
    constant = numpy_helper.from_array(np.float32(1 / 255))
    nodes = [
        helper.make_node("Cast", ["pixels"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("Constant", [], ["unit"], value=constant),
        helper.make_node("Identity", ["scale"], ["renamed"]),
        helper.make_node("Flatten", ["values"], ["flat"]),
        helper.make_node("Mul", ["flat", "unit"], ["small"]),
        helper.make_node("MatMul", ["small", "matrix"], ["product"]),
        helper.make_node("Mul", ["product", "renamed"], ["vectors"]),
    ]
    ends = [
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", 2])],
    ]
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "exported", *ends, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_constants_that_are_nodes_take_the_precision_of_their_reader() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)
    half = typed(exported(), "fp16")
    onnx.checker.check_model(half, full_check=True)
    np.testing.assert_allclose(run(half, pixels), run(exported(), pixels), rtol=0.02, atol=0.02)
    assert "Constant" not in {node.op_type for node in half.graph.node}
