"""Measures how large the numbers get that flow into a graph's matrix products: calibration for int8 and fp8."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

from arthur.encode.session import first_line
from arthur.errors import EngineError
from arthur.types import Pixels

_SHARE = 99.99
"""Percent of a picture's numbers within the range: with the few beyond cut off, the others are told apart better."""


def weight_products(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """Return the matrix products of a value with constant weights."""
    constants = {tensor.name for tensor in model.graph.initializer if len(tensor.dims) == 2}
    return [
        node
        for node in model.graph.node
        if node.op_type == "MatMul" and node.input[1] in constants and node.input[0] not in constants
    ]


def ranges(graph: Path, pictures: Pixels, *, threads: int = 1) -> Mapping[str, float]:
    """Return for each value that meets weights in a product the largest magnitude that it has on the pictures.

    Runs the graph on one picture at a time on the CPU: every one of these values is kept for a moment.

    Raises:
        EngineError: the graph cannot be read or run, or it has no such product.
    """
    try:
        model = onnx.load(graph)
        names = sorted({node.input[0] for node in weight_products(model)})
        found = _measured(model, names, pictures, threads=threads)
    except Exception as error:  # the runtime's exceptions have no base of their own
        raise EngineError(f"{graph} cannot be calibrated: {first_line(error)}") from error
    if not names:
        raise EngineError(f"{graph} has no matrix product with weights, so it cannot be calibrated")
    return found


def _measured(model: onnx.ModelProto, names: list[str], pictures: Pixels, *, threads: int) -> Mapping[str, float]:
    """Run the graph with these values as further outputs; they come after those that it has."""
    largest = dict.fromkeys(names, 0.0)
    if not names:
        return largest
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 4
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    for place in range(len(pictures)):
        values = session.run(names, {"pixels": pictures[place : place + 1]})
        for name, value in zip(names, values, strict=True):
            largest[name] = max(largest[name], float(np.percentile(np.abs(value), _SHARE)))
    return largest
