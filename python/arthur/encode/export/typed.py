"""Rewrites a graph so that every tensor tells its precision, as runtimes want it that take a graph at its word.

Matrix products and what lies between them become fp16 or bf16. Colours, powers and lengths stay float32: the square of
a vector's length does not fit into fp16.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import ml_dtypes
import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

Half: TypeAlias = Literal["fp16", "bf16"]

_MATRIX = frozenset({"MatMul", "Gemm", "Conv", "QuantizeLinear", "DequantizeLinear"})
"""Always in half precision."""
_EXACT = frozenset({"ReduceL2", "Pow", "Clip", "Cast"})
"""Always in full precision."""
_HALVES = {"fp16": (TensorProto.FLOAT16, np.dtype(np.float16)), "bf16": (TensorProto.BFLOAT16, np.dtype("bfloat16"))}
_BFLOAT16 = ml_dtypes.bfloat16
"""Named so that the import, which makes bfloat16 known to numpy, has a use that tools see."""


def typed(model: onnx.ModelProto, half: Half) -> onnx.ModelProto:
    """Return `model`, changed in place, with its matrix products in that precision; input and output stay as they are.

    Raises:
        ValueError: a number of the weights does not fit into the precision.
    """
    inline_constants(model)
    _Typing(model.graph, half).apply()
    return model


def inline_constants(model: onnx.ModelProto) -> None:
    """Put the constants that torch's exporter writes as nodes where all others are."""
    for node in [node for node in model.graph.node if node.op_type == "Constant"]:
        value = next(attribute.t for attribute in node.attribute if attribute.name == "value")
        tensor = model.graph.initializer.add()
        tensor.CopyFrom(value)
        tensor.name = node.output[0]
        model.graph.node.remove(node)


class _Typing:
    """One pass over a graph whose nodes are in the order of execution."""

    def __init__(self, graph: onnx.GraphProto, half: Half) -> None:
        self._graph = graph
        self._kind, self._dtype = _HALVES[half]
        self._constants = {tensor.name: tensor for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT}
        self._types: dict[str, int] = {}
        """Of values that nodes give: FLOAT or the half; what is no such number is absent."""
        self._made: set[str] = set()
        self._nodes: list[NodeProto] = []

    def apply(self) -> None:
        """Rewrite every node, then drop the constants that nothing reads any more."""
        outputs = {output.name for output in self._graph.output}
        for node in list(self._graph.node):
            self._rewrite(node, full=bool(outputs & set(node.output)))
        del self._graph.node[:]
        self._graph.node.extend(self._nodes)
        read = {name for node in self._nodes for name in node.input}
        kept = [tensor for tensor in self._graph.initializer if tensor.name in read]
        del self._graph.initializer[:]
        self._graph.initializer.extend(kept)

    def _rewrite(self, node: NodeProto, *, full: bool) -> None:
        """Decide on a node's precision, and bring its inputs to it."""
        given = {self._types[name] for name in node.input if name in self._types}
        wanted = TensorProto.FLOAT if full or node.op_type in _EXACT else self._wanted(node, given)
        if wanted is not None and node.op_type != "Cast":
            for place, name in enumerate(node.input):
                node.input[place] = self._brought(name, wanted)
        self._nodes.append(node)
        if node.op_type == "Cast":
            wanted = next(attribute.i for attribute in node.attribute if attribute.name == "to")
        if wanted in (TensorProto.FLOAT, self._kind) and node.op_type != "QuantizeLinear":
            self._types.update(dict.fromkeys(node.output, wanted))

    def _wanted(self, node: NodeProto, given: set[int]) -> int | None:
        """Return the precision of a node that may be in either; None where it handles no such numbers."""
        if node.op_type in _MATRIX:
            return self._kind
        if not given:  # constants alone, or no such numbers at all
            return TensorProto.FLOAT if self._constants.keys() & set(node.input) else None
        return self._kind if given == {self._kind} else TensorProto.FLOAT

    def _brought(self, name: str, wanted: int) -> str:
        """Return the name under which the value is there in that precision."""
        if name in self._constants:
            return name if wanted == TensorProto.FLOAT else self._halved(name)
        if self._types.get(name, wanted) == wanted:
            return name
        cast = f"{name}:{'full' if wanted == TensorProto.FLOAT else 'half'}"
        if cast not in self._made:
            self._made.add(cast)
            self._nodes.append(helper.make_node("Cast", [name], [cast], name=cast, to=wanted))
            self._types[cast] = wanted
        return cast

    def _halved(self, name: str) -> str:
        """Return the name of a constant's copy in half precision."""
        half = f"{name}:half"
        if half not in self._made:
            self._made.add(half)
            values = numpy_helper.to_array(self._constants[name])
            with np.errstate(over="ignore"):
                rounded = values.astype(self._dtype)
            if not np.isfinite(rounded.astype(np.float32)[np.isfinite(values)]).all():
                raise ValueError(f"the constant {name} does not fit into {self._dtype}")
            raw = rounded.tobytes()
            self._graph.initializer.add(name=half, data_type=self._kind, dims=values.shape, raw_data=raw)
        return half
