"""A growing ONNX graph: constants and nodes that name themselves, and the few layers that transformers are made of."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from arthur.encode.spec import Activation

Value: TypeAlias = str
"""Name of a tensor in the graph."""
Weight: TypeAlias = NDArray[np.float32]
Attribute: TypeAlias = int | float | list[int]

OPSET = 17
"""The first with LayerNormalization; TensorRT 8.6 and later read it."""
_IR_VERSION = 8
_TANH = (2 / np.pi) ** 0.5


class Graph:
    """Collects constants and nodes; equal calls in equal order make equal bytes. Not thread-safe."""

    def __init__(self, name: str) -> None:
        # filled in place: a message of more than 2 GiB cannot be copied into another one
        self._model = onnx.ModelProto(ir_version=_IR_VERSION, producer_name="arthur")
        self._model.opset_import.append(helper.make_opsetid("", OPSET))
        self._graph = self._model.graph
        self._graph.name = name

    def constant(self, array: NDArray[np.generic] | list[int] | float) -> Value:
        """Add a constant; integers become int64, as shapes, axes and indices have to be, a number becomes float32."""
        kind = np.int64 if isinstance(array, list) else np.float32 if isinstance(array, float) else None
        values = np.array(array, kind, order="C")
        name = f"constant_{len(self._graph.initializer)}"
        data_type = helper.np_dtype_to_tensor_dtype(values.dtype)
        self._graph.initializer.add(name=name, data_type=data_type, dims=values.shape, raw_data=values.tobytes())
        return name

    def node(self, operator: str, *inputs: Value, **attributes: Attribute) -> Value:
        """Add a node with one output and return the name of that."""
        return self.nodes(operator, *inputs, outputs=1, **attributes)[0]

    def nodes(self, operator: str, *inputs: Value, outputs: int, **attributes: Attribute) -> list[Value]:
        """Add a node with several outputs."""
        name = f"{operator}_{len(self._graph.node)}"
        names = [f"{name}:{place}" for place in range(outputs)]
        node = self._graph.node.add(name=name, op_type=operator, input=inputs, output=names)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in sorted(attributes.items()))
        return names

    def reshape(self, value: Value, shape: list[int]) -> Value:
        """Give `value` another shape, where 0 keeps an edge and -1 is what remains."""
        return self.node("Reshape", value, self.constant(shape))

    def linear(self, value: Value, weight: Weight, bias: Weight | None = None) -> Value:
        """Multiply rows with an (in, out) matrix and add an (out,) bias."""
        product = self.node("MatMul", value, self.constant(weight))
        return product if bias is None else self.node("Add", product, self.constant(bias))

    def row(self, value: Value, place: int) -> Value:
        """Take one token of each: (n, tokens, width) to (n, width)."""
        return self.node("Gather", value, self.constant(np.array(place)), axis=1)

    def layer_norm(self, value: Value, weight: Weight, bias: Weight, *, epsilon: float) -> Value:
        """Normalise the last axis."""
        constants = self.constant(weight), self.constant(bias)
        return self.node("LayerNormalization", value, *constants, axis=-1, epsilon=epsilon)

    def activation(self, value: Value, kind: Activation) -> Value:
        """Apply the activation of that name."""
        match kind:
            case "quick_gelu":
                return self.quick_gelu(value)
            case "gelu":
                return self.gelu(value)
            case "gelu_tanh":
                return self.gelu_tanh(value)

    def quick_gelu(self, value: Value) -> Value:
        """Multiply `value` with the sigmoid of 1.702 times itself, as OpenAI's weights were trained with."""
        gate = self.node("Sigmoid", self.node("Mul", value, self.constant(1.702)))
        return self.node("Mul", value, gate)

    def gelu(self, value: Value) -> Value:
        """Multiply `value` with the normal distribution function of itself."""
        scaled = self.node("Mul", value, self.constant(0.5**0.5))
        twice = self.node("Add", self.node("Erf", scaled), self.constant(1.0))
        return self.node("Mul", self.node("Mul", value, twice), self.constant(0.5))

    def gelu_tanh(self, value: Value) -> Value:
        """Approximate `gelu` with a hyperbolic tangent, as SigLIP was trained with."""
        square = self.node("Mul", value, value)
        slope = self.node("Add", self.node("Mul", square, self.constant(0.044715 * _TANH)), self.constant(_TANH))
        twice = self.node("Add", self.node("Tanh", self.node("Mul", value, slope)), self.constant(1.0))
        return self.node("Mul", self.node("Mul", value, twice), self.constant(0.5))

    def unit(self, value: Value) -> Value:
        """Divide rows by their Euclidean length."""
        return self.node("Div", value, self.node("ReduceL2", value, axes=[-1], keepdims=1))

    def model(self, source: onnx.ValueInfoProto, result: Value, *, dim: int) -> onnx.ModelProto:
        """Close the graph: `source` is its input, `result` becomes its output `vectors`, (n, dim) float32."""
        self._graph.node.add(name="vectors", op_type="Identity", input=[result], output=["vectors"])
        self._graph.input.append(source)
        self._graph.output.append(helper.make_tensor_value_info("vectors", onnx.TensorProto.FLOAT, ["n", dim]))
        return self._model


def pixels_input(side: int) -> onnx.ValueInfoProto:
    """Describe the input `pixels`: (n, side, side, 3) uint8."""
    return helper.make_tensor_value_info("pixels", onnx.TensorProto.UINT8, ["n", side, side, 3])


def tokens_input(context: int) -> onnx.ValueInfoProto:
    """Describe the input `tokens`: (n, context) int64."""
    return helper.make_tensor_value_info("tokens", onnx.TensorProto.INT64, ["n", context])
