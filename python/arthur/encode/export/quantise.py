"""Shrinks a graph's matrix products to int8: weights once, activations as they come."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic


def quantise(graph: Path, into: Path) -> bool:
    """Write the quantised stand-in of `graph`: int8 weights with a scale for each column, and no other operators.

    Returns whether there was a matrix product to quantise; convolutions stay as they are, which int8 makes slower.
    """
    model = onnx.load_model(graph, load_external_data=False)
    # without this mark the quantiser asks on standard error for a pass that changes nothing in these graphs
    onnx.helper.set_model_props(model, {"onnx.quant.pre_process": "onnxruntime.quant"})
    marked = graph.with_name(f"marked.{graph.name}")  # in the same folder, where the weights may lie beside it
    onnx.save_model(model, marked)
    quantize_dynamic(marked, into, op_types_to_quantize=["MatMul"], per_channel=True, weight_type=QuantType.QInt8)
    marked.unlink()
    return any(node.op_type == "MatMulInteger" for node in onnx.load_model(into, load_external_data=False).graph.node)
