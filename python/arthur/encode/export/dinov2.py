"""The image tower of a DINOv2, with or without registers, as an ONNX graph; it has no text tower.

Its vector is that of the class token. Positions were learned for pictures of 518 pixels, and are scaled here to the
side of the engine.
"""

from __future__ import annotations

import numpy as np
import onnx

from arthur.encode.export.graph import Weight, pixels_input
from arthur.encode.export.positions import scaled_positions
from arthur.encode.export.towers import Names, patch_edge, patches, prepend, tower, vit_facts
from arthur.encode.export.weights import Weights
from arthur.encode.spec import EngineFile

_NAMES = Names(
    layers="encoder.layer",
    norms=("norm1", "norm2"),
    projections=("attention.attention.query", "attention.attention.key", "attention.attention.value"),
    output="attention.output.dense",
    scales=("layer_scale1.lambda1", "layer_scale2.lambda1"),
)


def image_graph(weights: Weights, facts: EngineFile) -> onnx.ModelProto:
    """Build the image tower: `pixels` uint8 (n, side, side, 3) to `vectors` float32 (n, dim) unit rows.

    Raises:
        ConfigError: `facts` do not describe a DINOv2.
        EngineError: the weights are not those of such a DINOv2.
    """
    vit, edge, width = vit_facts(facts), patch_edge(facts), facts.dim
    first = _first_rows(weights, width)
    form = (len(first) + edge * edge, width)
    image = tower(weights, facts, _NAMES, form=form, heads=vit.heads)
    path = "embeddings.patch_embeddings.projection"
    kernel = weights.tensor(f"{path}.weight", (width, 3, vit.patch, vit.patch))
    cut = patches(image, facts, kernel, weights.tensor(f"{path}.bias", (width,)))
    added = np.concatenate([first, _positions(weights, edge, width)[1:]])
    value = image.layers(prepend(image, cut, added, count=len(first)))
    vectors = image.graph.unit(image.norm(image.graph.row(value, 0), "layernorm"))
    return image.graph.model(pixels_input(facts.side), vectors, dim=facts.dim)


def _first_rows(weights: Weights, width: int) -> Weight:
    """Return the class token with its position, and the registers, which have none: (1 + registers, width)."""
    rows = weights.edge("embeddings.position_embeddings", 1)
    position = weights.tensor("embeddings.position_embeddings", (1, rows, width))[0, :1]
    token: Weight = weights.tensor("embeddings.cls_token", (1, 1, width))[0] + position
    if not weights.has("embeddings.register_tokens"):
        return token
    count = weights.edge("embeddings.register_tokens", 1)
    return np.concatenate([token, weights.tensor("embeddings.register_tokens", (1, count, width))[0]])


def _positions(weights: Weights, edge: int, width: int) -> Weight:
    """Return the class token's position and those of edge * edge patches; registers came with smoother scaling."""
    rows = weights.edge("embeddings.position_embeddings", 1)
    learned = weights.tensor("embeddings.position_embeddings", (1, rows, width))[0]
    scaled = scaled_positions(learned[1:], edge, smooth=weights.has("embeddings.register_tokens"))
    return np.concatenate([learned[:1], scaled])
