"""An engine's ONNX graph as a module of torch, so that torch runs an engine without the model it came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import onnx
import torch
from onnx import NodeProto, TensorProto, helper, numpy_helper
from torch import Tensor
from torch.nn import functional

from arthur.encode.export.typed import inline_constants
from arthur.errors import EngineError

Attributes: TypeAlias = Mapping[str, object]
Shape: TypeAlias = list[int]
"""Integers of a graph are no tensors here: shapes, axes and places, which a tracer follows."""
Operator: TypeAlias = Callable[..., Tensor | Shape | tuple[Tensor, ...]]
"""Takes tensors and, by name, attributes of the node; what an ONNX operator has beyond these is refused."""

_ATTENTION = "Attention"
_KINDS = {
    "FLOAT": torch.float32,
    "FLOAT16": torch.float16,
    "BFLOAT16": torch.bfloat16,
    "INT64": torch.int64,
    "INT32": torch.int32,
}


class TorchGraph(torch.nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """A graph of one input and one output. Weights are buffers, so `to(device)` moves them; runs under any tracer."""

    def __init__(self, model: onnx.ModelProto) -> None:
        """Read the graph.

        Raises:
            EngineError: an operator or a type is not known here; names it.
        """
        super().__init__()
        inline_constants(model)
        self._input, self._output = model.graph.input[0].name, model.graph.output[0].name
        self._shapes: dict[str, list[int]] = {}
        self._places: dict[str, str] = {}
        for place, tensor in enumerate(model.graph.initializer):
            array = numpy_helper.to_array(tensor)
            if array.dtype == np.int64:
                self._shapes[tensor.name] = np.atleast_1d(array).tolist()
            else:
                self._places[tensor.name] = f"weight_{place}"
                self.register_buffer(f"weight_{place}", _tensor(array))
        self._steps = [_Step(node) for node in _attentive(list(model.graph.node))]

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the graph's output, `(n, dim)` float32, for its input, `(n, side, side, 3)` uint8."""
        values: dict[str, Tensor | list[int]] = {self._input: pixels, **self._shapes}
        values.update({name: self.get_buffer(place) for name, place in self._places.items()})
        for step in self._steps:
            found = step.operator(*(values[name] for name in step.inputs), **step.attributes)
            values.update(zip(step.outputs, found if isinstance(found, tuple) else (found,), strict=True))
        result = values[self._output]
        if not isinstance(result, Tensor):
            raise EngineError("the graph gives a constant")
        return result


def _attentive(nodes: list[NodeProto]) -> list[NodeProto]:
    """Replace each product, softmax and product by one node: torch has kernels for it that never write the scores."""
    makers = {name: node for node in nodes for name in node.output}
    readers: dict[str, list[NodeProto]] = {}
    for node in nodes:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    gone: set[str] = set()
    fused: dict[str, NodeProto] = {}
    for softmax in (node for node in nodes if node.op_type == "Softmax"):
        scores, mixed = makers[softmax.input[0]], readers[softmax.output[0]]
        alone = len(readers[scores.output[0]]) == 1 and len(mixed) == 1
        if alone and scores.op_type == mixed[0].op_type == "MatMul" and mixed[0].input[0] == softmax.output[0]:
            given = [*scores.input, mixed[0].input[1]]
            fused[mixed[0].name] = helper.make_node(_ATTENTION, given, list(mixed[0].output), name=mixed[0].name)
            gone |= {scores.name, softmax.name}
    return [fused.get(node.name, node) for node in nodes if node.name not in gone]


class _Step:
    """One node, looked up once."""

    def __init__(self, node: NodeProto) -> None:
        if node.op_type not in _OPERATORS:
            raise EngineError(f"torch has no operator here for {node.op_type} ({node.name}) of the graph")
        self.operator = _OPERATORS[node.op_type]
        self.inputs = list(node.input)
        self.outputs = list(node.output)
        self.attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _tensor(array: np.ndarray) -> Tensor:
    if array.dtype == np.dtype("bfloat16"):
        return torch.from_numpy(array.astype(np.float32)).to(torch.bfloat16)
    return torch.from_numpy(np.array(array))


def _cast(value: Tensor, *, to: int) -> Tensor:
    return value.to(_KINDS[TensorProto.DataType.Name(to)])


def _reshape(value: Tensor, shape: Shape, *, allowzero: int = 0) -> Tensor:
    """Give another shape; 0 keeps an edge, which no empty batch needs otherwise."""
    if allowzero and 0 in shape:
        raise EngineError("torch keeps an edge of 0 here")
    return value.reshape([value.shape[place] if edge == 0 else edge for place, edge in enumerate(shape)])


def _transpose(value: Tensor, *, perm: list[int]) -> Tensor:
    return value.permute(perm)


def _split(value: Tensor, sizes: Shape, *, axis: int = 0) -> tuple[Tensor, ...]:
    return tuple(value.split(sizes, dim=axis))


def _concat(*values: Tensor | Shape, axis: int) -> Tensor | Shape:
    if any(isinstance(value, list) for value in values):
        return [edge for value in values for edge in value]
    return torch.cat(values, dim=axis)


def _gather(value: Tensor | Shape, places: Shape, *, axis: int = 0) -> Tensor | Shape:
    """Take one row, as the towers do; a list of rows would keep the axis."""
    return [value[places[0]]] if isinstance(value, list) else value.select(axis, places[0])


def _shape(value: Tensor) -> Shape:
    return list(value.shape)


def _product(value: Tensor | Shape, other: Tensor | Shape) -> Tensor | Shape:
    if isinstance(value, list) and isinstance(other, list):
        return [left * right for left, right in zip(value, other, strict=True)]
    return torch.mul(value, other)


def _slice(
    value: Tensor | Shape, start: Shape, end: Shape, axes: Shape | None = None, steps: Shape | None = None
) -> Shape:
    """Cut a shape; tensors are cut by Split in the graphs that there are."""
    if not isinstance(value, list) or (axes or [0]) != [0] or (steps or [1]) != [1]:
        raise EngineError("torch cuts shapes alone here, one edge after the other")
    return value[start[0] : end[0]]


def _unsqueeze(value: Tensor | Shape, axes: Shape) -> Tensor | Shape:
    return value if isinstance(value, list) else value.unsqueeze(axes[0])


def _squeeze(value: Tensor, axes: Shape) -> Tensor:
    return value.squeeze(axes[0])


def _mean(value: Tensor, *, axes: Sequence[int] = (), keepdims: int = 1) -> Tensor:
    return value.mean(dim=list(axes), keepdim=bool(keepdims))


def _batch_norm(
    value: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, **options: float
) -> Tensor:
    return functional.batch_norm(value, mean, variance, weight, bias, eps=options.get("epsilon", 1e-5))


def _pad(value: Tensor, pads: list[int], *, mode: bytes = b"constant") -> Tensor:
    """Pad with zeros; torch names the last axis first."""
    rank = len(pads) // 2
    backwards = [edge for axis in reversed(range(rank)) for edge in (pads[axis], pads[rank + axis])]
    return functional.pad(value, backwards, mode=mode.decode())


def _layer_norm(value: Tensor, weight: Tensor, bias: Tensor, *, axis: int = -1, epsilon: float = 1e-5) -> Tensor:
    return functional.layer_norm(value, value.shape[axis:], weight, bias, epsilon)


def _softmax(value: Tensor, *, axis: int = -1) -> Tensor:
    return torch.softmax(value, dim=axis)


def _reduce_l2(
    value: Tensor, axes_given: list[int] | None = None, *, axes: Sequence[int] = (), keepdims: int = 1
) -> Tensor:
    """Lengths along axes, which are an attribute up to operator set 17 and an input from then on."""
    places = axes_given if axes_given is not None else list(axes)
    return torch.linalg.vector_norm(value, dim=places, keepdim=bool(keepdims))


def _gemm(value: Tensor, weight: Tensor, bias: Tensor | None = None, **attributes: float) -> Tensor:
    """Multiply rows with a matrix; factors other than one are not used by any engine."""
    if attributes.get("alpha", 1.0) != 1 or attributes.get("beta", 1.0) != 1 or attributes.get("transA"):
        raise EngineError(f"torch runs Gemm without factors here, not with {attributes}")
    return functional.linear(value, weight if attributes.get("transB") else weight.T, bias)


def _attention(query: Tensor, turned_key: Tensor, value: Tensor) -> Tensor:
    """Mix values by how near their keys are; the scale is in the query's weights already."""
    return functional.scaled_dot_product_attention(query, turned_key.transpose(-2, -1), value, scale=1.0)


def _conv(
    value: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    **attributes: list[int] | int,
) -> Tensor:
    """Convolve; both ends of an axis have to be padded alike."""
    pads = attributes.get("pads", [0, 0, 0, 0])
    if not isinstance(pads, list) or pads[:2] != pads[2:]:
        raise EngineError(f"torch pads both ends alike here, not by {pads}")
    return functional.conv2d(
        value,
        weight,
        bias,
        stride=attributes.get("strides", [1, 1]),
        padding=pads[:2],
        dilation=attributes.get("dilations", [1, 1]),
        groups=attributes.get("group", 1),
    )


def _clip(value: Tensor, least: Tensor | None = None, most: Tensor | None = None) -> Tensor:
    return torch.clamp(value, least, most)


def _pool(value: Tensor) -> Tensor:
    return value.mean(dim=(-2, -1), keepdim=True)


def _flatten(value: Tensor, *, axis: int = 1) -> Tensor:
    return value.flatten(axis)


def _identity(value: Tensor) -> Tensor:
    return value


_OPERATORS: Mapping[str, Operator] = {
    "Add": torch.add,
    _ATTENTION: _attention,
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Clip": _clip,
    "Concat": _concat,
    "Conv": _conv,
    "Div": torch.div,
    "Erf": torch.erf,
    "Flatten": _flatten,
    "Gather": _gather,
    "Gemm": _gemm,
    "GlobalAveragePool": _pool,
    "Identity": _identity,
    "LayerNormalization": _layer_norm,
    "MatMul": torch.matmul,
    "Max": torch.maximum,
    "Mul": _product,
    "Pad": _pad,
    "Pow": torch.pow,
    "ReduceL2": _reduce_l2,
    "ReduceMean": _mean,
    "Relu": torch.relu,
    "Reshape": _reshape,
    "Shape": _shape,
    "Sigmoid": torch.sigmoid,
    "Slice": _slice,
    "Softmax": _softmax,
    "Split": _split,
    "Squeeze": _squeeze,
    "Sub": torch.sub,
    "Tanh": torch.tanh,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
