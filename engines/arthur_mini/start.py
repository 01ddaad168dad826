"""Weights to go on from: an exported graph turned back into a network that can be trained.

Exporting folds every batch normalisation away. A few pictures tell what the normalisations must
be for the network to give the same vectors again while it normalises by batch.
"""

from collections.abc import Iterator
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from engines.arthur_mini.model import STD, Encoder


def start_from(path: Path, model: Encoder, pictures: Tensor) -> None:
    """Give ``model`` the weights of an exported graph of the same architecture.

    Args:
        path: The float32 graph.
        model: The network, changed in place.
        pictures: float32 (n, 3, side, side) in 0..1, like those it will be trained on.
    """
    layers = _layers(path)
    folded = zip(_pairs(model.body), layers, strict=False)
    hooks = []
    with torch.no_grad():
        for (layer, norm), (weight, bias) in folded:
            layer.weight.copy_(weight)
            if norm is None:
                layer.bias.copy_(bias)
            else:
                norm.bias.copy_(bias)
                hooks.append(norm.register_forward_pre_hook(_unfold))
        weight, bias = layers[-1]
        model.head.weight.copy_(weight)
        model.head.bias.copy_(bias)
        hooks.append(model.norm.register_forward_pre_hook(_unfold))
        first = next(layer for layer, _ in _pairs(model.body))
        first.weight.mul_(255 * torch.tensor(STD, device=pictures.device).view(1, 3, 1, 1))
        model(pictures)
        for hook in hooks:
            hook.remove()


def _layers(path: Path) -> list[tuple[Tensor, Tensor]]:
    """Return weight and bias of the convolutions and of the head, in the order they run."""
    graph = onnx.load(path).graph
    arrays = {item.name: numpy_helper.to_array(item).copy() for item in graph.initializer}
    return [
        (torch.from_numpy(arrays[node.input[1]]), torch.from_numpy(arrays[node.input[2]]))
        for node in graph.node
        if node.op_type in {"Conv", "Gemm"}
    ]


def _pairs(body: nn.Module) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """Yield each convolution with the normalisation that follows it, if one does."""
    modules = [part for part in body.modules() if isinstance(part, nn.Conv2d | nn.BatchNorm2d)]
    for place, part in enumerate(modules):
        if isinstance(part, nn.Conv2d):
            after = modules[place + 1] if place + 1 < len(modules) else None
            yield part, after if isinstance(after, nn.BatchNorm2d) else None


def _unfold(norm: nn.Module, inputs: tuple[Tensor]) -> None:
    """Set a normalisation to change nothing in its input but add the bias it already has."""
    if not isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
        raise TypeError(f"{norm} is not a batch normalisation")
    values = inputs[0].float()
    variance, mean = torch.var_mean(values, [axis for axis in range(values.ndim) if axis != 1], correction=0)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.weight.copy_((variance + norm.eps).sqrt())
    norm.bias.add_(mean)
