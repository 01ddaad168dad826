"""Writes int8 or fp8 into a graph: each product with weights gets rounded operands, with scales that were measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from arthur.encode.export.ranges import weight_products

Rounding: TypeAlias = Literal["int8", "fp8"]

_LARGEST: Mapping[Rounding, float] = {"int8": 127.0, "fp8": 448.0}
_STORED: Mapping[Rounding, int] = {"int8": TensorProto.INT8, "fp8": TensorProto.FLOAT8E4M3FN}
_OPSET = 19
"""The first in which scales may be fp16, and values fp8."""


def scaled(model: onnx.ModelProto, rounding: Rounding, ranges: Mapping[str, float]) -> onnx.ModelProto:
    """Return `model`, changed in place, with rounded operands of the products; `ranges` come from `ranges.ranges`.

    Weights of int8 have a scale for each column; everything else has one scale.
    """
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    products = {node.name: node for node in weight_products(model)}
    zero = helper.make_tensor(f"zero:{rounding}", _STORED[rounding], [], [0])
    graph.initializer.append(zero)
    nodes: list[onnx.NodeProto] = []
    rounded: set[str] = set()
    for node in list(graph.node):
        if node.name in products:
            scale = np.array(max(ranges[node.input[0]], 1e-6) / _LARGEST[rounding], np.float32)
            value, weight = node.input[0], numpy_helper.to_array(weights[node.input[1]])
            if value not in rounded:
                nodes += _pair(graph, value, scale, rounding)
                rounded.add(value)
            nodes += _pair(graph, node.input[1], _weight_scale(weight, rounding), rounding)
            node.input[0], node.input[1] = f"{value}:rounded", f"{node.input[1]}:rounded"
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def raised(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return `model`, changed in place, with the operator set that half precision scales and fp8 need."""
    for node in model.graph.node:
        if node.op_type == "ReduceL2":
            axes = next(attribute for attribute in node.attribute if attribute.name == "axes")
            name = f"{node.name}:axes"
            model.graph.initializer.append(numpy_helper.from_array(np.array(axes.ints, np.int64), name))
            node.attribute.remove(axes)
            node.input.append(name)
    model.opset_import[0].version = _OPSET
    model.ir_version = max(model.ir_version, 9)  # the first that knows fp8
    return model


def _weight_scale(weight: NDArray[np.float32], rounding: Rounding) -> NDArray[np.float32]:
    """Return the scale of each column for int8, and one scale for fp8, whose steps grow with the number."""
    largest = np.abs(weight).max(axis=0) if rounding == "int8" else np.abs(weight).max()
    scale: NDArray[np.float32] = np.maximum(largest, 1e-6).astype(np.float32) / np.float32(_LARGEST[rounding])
    return scale


def _pair(
    graph: onnx.GraphProto, value: str, scale: NDArray[np.float32], rounding: Rounding
) -> tuple[onnx.NodeProto, onnx.NodeProto]:
    """Return the nodes that round `value` and scale it back, as `value:rounded`."""
    graph.initializer.append(numpy_helper.from_array(scale, f"{value}:scale"))
    ends = [f"{value}:scale", f"zero:{rounding}"]
    if scale.ndim:
        zeros = helper.make_tensor(f"{value}:zero", _STORED[rounding], scale.shape, np.zeros(scale.shape, np.int8))
        graph.initializer.append(zeros)
        ends[1] = zeros.name
    small = f"{value}:small"
    there = helper.make_node("QuantizeLinear", [value, *ends], [small], name=f"{value}:round")
    back = helper.make_node("DequantizeLinear", [small, *ends], [f"{value}:rounded"], name=f"{value}:back")
    if scale.ndim:
        there.attribute.append(helper.make_attribute("axis", 1))
        back.attribute.append(helper.make_attribute("axis", 1))
    return there, back
