"""The image tower of a DINOv3 ViT as an ONNX graph; it has no text tower.

Its vector is that of the class token. It has no learned positions: queries and keys of patches are turned by angles
that tell their places, and which are the same for every picture of one side, so they are constants of the graph.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx

from arthur.encode.export.graph import Weight, pixels_input
from arthur.encode.export.towers import Names, Rotation, Tower, patch_edge, patches, prepend, tower, vit_facts
from arthur.encode.export.weights import Weights
from arthur.encode.spec import EngineFile
from arthur.errors import ConfigError, EngineError

_NAMES = Names(
    layers="layer",
    norms=("norm1", "norm2"),
    projections=("attention.q_proj", "attention.k_proj", "attention.v_proj"),
    output="attention.o_proj",
    perceptron=("mlp.up_proj", "mlp.down_proj"),
    scales=("layer_scale1.lambda1", "layer_scale2.lambda1"),
    biased=(True, False, True),
)


def image_graph(weights: Weights, facts: EngineFile) -> onnx.ModelProto:
    """Build the image tower: `pixels` uint8 (n, side, side, 3) to `vectors` float32 (n, dim) unit rows.

    Raises:
        ConfigError: `facts` do not describe a DINOv3 ViT.
        EngineError: the weights are not those of such a DINOv3.
    """
    vit, edge, width = vit_facts(facts), patch_edge(facts), facts.dim
    first = _first_rows(weights, width)
    image = tower(weights, facts, _NAMES, form=(len(first) + edge * edge, width), heads=vit.heads)
    image = replace(image, rotation=_rotation(image, facts, prefix=len(first)))
    kernel = weights.tensor("embeddings.patch_embeddings.weight", (width, 3, vit.patch, vit.patch))
    cut = patches(image, facts, kernel, weights.tensor("embeddings.patch_embeddings.bias", (width,)))
    added = np.concatenate([first, np.zeros((edge * edge, width), np.float32)])
    value = image.layers(prepend(image, cut, added, count=len(first)))
    vectors = image.graph.unit(image.norm(image.graph.row(value, 0), "norm"))
    return image.graph.model(pixels_input(facts.side), vectors, dim=facts.dim)


def _first_rows(weights: Weights, width: int) -> Weight:
    """Return the class token and the registers: (1 + registers, width)."""
    count = weights.edge("embeddings.register_tokens", 1)
    registers = weights.tensor("embeddings.register_tokens", (1, count, width))[0]
    return np.concatenate([weights.tensor("embeddings.cls_token", (1, 1, width))[0], registers])


def _rotation(image: Tower, facts: EngineFile, *, prefix: int) -> Rotation:
    """Return the angles of patches by their centres, -1..1 from edge to edge; the first `prefix` rows are left."""
    theta, size, edge = vit_facts(facts).theta, image.width // image.heads, patch_edge(facts)
    if theta is None:
        raise ConfigError(f"engine {facts.name}: [vit] has no theta, so its positions are not known")
    if size % 4:
        raise EngineError(f"engine {facts.name}: heads of {size} cannot be turned; they have to be a multiple of 4")
    centres = (np.arange(edge) + 0.5) / edge * 2 - 1
    rows, columns = np.repeat(centres, edge), np.tile(centres, edge)
    speeds = 2 * np.pi / theta ** (np.arange(size // 4) * 4 / size)
    half = np.concatenate([rows[:, None] * speeds, columns[:, None] * speeds], axis=1)
    cosines = np.concatenate([np.ones((prefix, size)), np.tile(np.cos(half), 2)])
    sines = np.concatenate([np.zeros((prefix, size)), np.concatenate([-np.sin(half), np.sin(half)], axis=1)])
    return Rotation(cosines.astype(np.float32), sines.astype(np.float32))
