"""The ONNX graph of arthur-mini, written by hand from trained weights.

Batch normalisation, the scale of the pixels and the normalisation before the head are folded into
the weights, so that a runtime sees convolutions, ReLUs and a short tail.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from engines.arthur_mini.model import GEM_POWER, MEAN, STD, Architecture

OPSET = 18

Weights: TypeAlias = Mapping[str, NDArray[np.float32]]

_EPSILON = 1e-5
"""What torch's batch normalisation adds to a variance."""


@dataclass
class _Graph:
    """Nodes and weights in the order in which they run."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def weight(self, values: object, kind: type[np.generic] = np.float32) -> str:
        """Add a constant and return its name."""
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def node(self, kind: str, inputs: Sequence[str], **attributes: int | list[int]) -> str:
        """Add a node with one output and return the output's name."""
        name = f"{kind.lower()}_{len(self.nodes)}"
        node = helper.make_node(kind, list(inputs), [name], name)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(node)
        return name

    def conv(
        self,
        maps: str,
        weight: NDArray[np.float32],
        bias: NDArray[np.float32],
        *,
        stride: int = 1,
        groups: int = 1,
    ) -> str:
        """Add a convolution that keeps the size (but for the stride)."""
        half = weight.shape[-1] // 2
        return self.node(
            "Conv",
            [maps, self.weight(weight), self.weight(bias)],
            kernel_shape=list(weight.shape[2:]),
            pads=[half] * 4,
            strides=[stride] * 2,
            group=groups,
        )


def build(weights: Weights, architecture: Architecture, side: int) -> onnx.ModelProto:
    """Build the graph.

    Args:
        weights: The encoder's ``state_dict`` as arrays.
        architecture: Its sizes.
        side: Side of the pictures it takes.

    Returns:
        A model from ``pixels``, uint8 (batch, side, side, 3), to ``vectors``, float32 unit rows
        (batch, dim).
    """
    graph = _Graph()
    maps = graph.node("Cast", ["pixels"], to=TensorProto.FLOAT)
    maps = graph.node("Transpose", [maps], perm=[0, 3, 1, 2])
    mean = 255 * np.array(MEAN).reshape(1, 3, 1, 1)
    maps = _body(graph, graph.node("Sub", [maps, graph.weight(mean)]), weights, architecture)
    _head(graph, maps, weights)
    squares: list[str | int | None] = ["batch", side, side, 3]
    rows: list[str | int | None] = ["batch", architecture.dim]
    pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, squares)
    vectors = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, rows)
    model = helper.make_model(
        helper.make_graph(graph.nodes, "arthur-mini", [pixels], [vectors], graph.weights),
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="arthur",
        ir_version=9,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def _body(graph: _Graph, maps: str, weights: Weights, architecture: Architecture) -> str:
    layers = [("step", 2)]
    for blocks in architecture.blocks:
        layers += [("step", 2), *[("block", 1)] * blocks]
    layers.append(("step", 1))
    for position, (kind, stride) in enumerate(layers):
        layer = f"body.{position}"
        if kind == "block":
            maps = _block(graph, maps, weights, layer)
            continue
        weight, bias = _folded(weights, f"{layer}.conv", f"{layer}.norm")
        if position == 0:
            weight = weight / (255 * np.array(STD, np.float32)).reshape(1, 3, 1, 1)
        maps = graph.node("Relu", [graph.conv(maps, weight, bias, stride=stride)])
    return maps


def _block(graph: _Graph, maps: str, weights: Weights, layer: str) -> str:
    weight, bias = _folded(weights, f"{layer}.depthwise", f"{layer}.depthwise_norm")
    hidden = graph.conv(maps, weight, bias, groups=len(weight))
    expand = weights[f"{layer}.expand.weight"], weights[f"{layer}.expand.bias"]
    hidden = graph.node("Relu", [graph.conv(hidden, *expand)])
    weight, bias = _folded(weights, f"{layer}.reduce", f"{layer}.reduce_norm")
    return graph.node("Add", [maps, graph.conv(hidden, weight, bias)])


def _head(graph: _Graph, maps: str, weights: Weights) -> None:
    maps = graph.node("Clip", [maps, graph.weight(1e-5)])
    power = maps
    # Products are faster than Pow, and exact in every runtime.
    for _ in range(GEM_POWER - 1):
        power = graph.node("Mul", [power, maps])
    pooled = graph.node("Flatten", [graph.node("GlobalAveragePool", [power])])
    pooled = graph.node("Pow", [pooled, graph.weight(1 / GEM_POWER)])
    scale, shift = _normalisation(weights, "norm")
    weight = weights["head.weight"] * scale
    bias = weights["head.bias"] + weights["head.weight"] @ shift
    vectors = graph.node("Gemm", [pooled, graph.weight(weight), graph.weight(bias)], transB=1)
    length = graph.node("ReduceL2", [vectors, graph.weight([1], np.int64)], keepdims=1)
    length = graph.node("Max", [length, graph.weight(1e-12)])
    graph.nodes.append(helper.make_node("Div", [vectors, length], ["vectors"], "vectors"))


def _folded(weights: Weights, conv: str, norm: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return weight and bias of a convolution that does the normalisation after it as well."""
    scale, shift = _normalisation(weights, norm)
    return weights[f"{conv}.weight"] * scale.reshape(-1, 1, 1, 1), shift


def _normalisation(weights: Weights, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the factor and the offset that a batch normalisation amounts to."""
    deviation = np.sqrt(weights[f"{name}.running_var"] + _EPSILON)
    scale = weights[f"{name}.weight"] / deviation
    return scale, weights[f"{name}.bias"] - weights[f"{name}.running_mean"] * scale
