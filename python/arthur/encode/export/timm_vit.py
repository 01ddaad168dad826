"""The plain ViTs of `timm` as ONNX graphs; they have no text tower. The vector is that of the class token."""

from __future__ import annotations

import numpy as np
import onnx

from arthur.encode.export.graph import pixels_input
from arthur.encode.export.towers import Names, patch_edge, patches, prepend, tower, vit_facts
from arthur.encode.export.weights import Weights
from arthur.encode.spec import EngineFile
from arthur.errors import EngineError

_NAMES = Names(
    layers="blocks",
    norms=("norm1", "norm2"),
    projections=("attn.q", "attn.k", "attn.v"),
    output="attn.proj",
)
_FOREIGN = ("norm_pre.weight", "fc_norm.weight", "reg_token", "blocks.0.ls1.gamma", "blocks.0.attn.q_norm.weight")
"""Tensors of ViTs that are not plain: they would be left out in silence."""


def image_graph(weights: Weights, facts: EngineFile) -> onnx.ModelProto:
    """Build the image tower: `pixels` uint8 (n, side, side, 3) to `vectors` float32 (n, dim) unit rows.

    Raises:
        ConfigError: `facts` do not describe a ViT.
        EngineError: the weights are not those of such a plain ViT.
    """
    vit, edge, width = vit_facts(facts), patch_edge(facts), facts.dim
    if foreign := [name for name in _FOREIGN if weights.has(name)]:
        raise EngineError(f"{weights.path} has a tensor {foreign[0]}, which no plain ViT has")
    form = (1 + edge * edge, width)
    image = tower(weights, facts, _NAMES, form=form, heads=vit.heads)
    kernel = weights.tensor("patch_embed.proj.weight", (width, 3, vit.patch, vit.patch))
    cut = patches(image, facts, kernel, weights.tensor("patch_embed.proj.bias", (width,)))
    added = np.array(weights.tensor("pos_embed", (1, *form))[0])
    added[0] += weights.tensor("cls_token", (1, 1, width))[0, 0]
    value = image.layers(prepend(image, cut, added, count=1))
    vectors = image.graph.unit(image.norm(image.graph.row(value, 0), "norm"))
    return image.graph.model(pixels_input(facts.side), vectors, dim=facts.dim)
