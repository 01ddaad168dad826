"""The two towers of a SigLIP, or of a SigLIP 2 of fixed resolution, as ONNX graphs.

A learned probe asks all patches for the vector of a picture; the last of the words holds that of a text. Scale and bias
of the sigmoid, with which it was trained, change no vector.
"""

from __future__ import annotations

import numpy as np
import onnx

from arthur.encode.export.clip import clip_names
from arthur.encode.export.graph import Value, pixels_input, tokens_input
from arthur.encode.export.towers import (
    KEYS,
    TOKENS,
    Tower,
    patch_edge,
    patches,
    prepend,
    text_heads,
    tower,
    vit_facts,
    words,
)
from arthur.encode.export.weights import Weights
from arthur.encode.spec import EngineFile
from arthur.errors import ConfigError

_EMBEDDINGS = "vision_model.embeddings"
_HEAD = "vision_model.head"


def image_graph(weights: Weights, facts: EngineFile) -> onnx.ModelProto:
    """Build the image tower: `pixels` uint8 (n, side, side, 3) to `vectors` float32 (n, dim) unit rows.

    Raises:
        ConfigError: `facts` do not describe a SigLIP.
        EngineError: the weights are not those of such a SigLIP.
    """
    vit, edge, width = vit_facts(facts), patch_edge(facts), facts.dim
    image = tower(weights, facts, clip_names("vision_model"), form=(edge * edge, width), heads=vit.heads)
    kernel = weights.tensor(f"{_EMBEDDINGS}.patch_embedding.weight", (width, 3, vit.patch, vit.patch))
    bias = weights.tensor(f"{_EMBEDDINGS}.patch_embedding.bias", (width,))
    positions = weights.tensor(f"{_EMBEDDINGS}.position_embedding.weight", (edge * edge, width))
    value = prepend(image, patches(image, facts, kernel, bias), positions, count=0)
    value = image.norm(image.layers(value), "vision_model.post_layernorm")
    vectors = image.graph.unit(image.graph.row(_pooled(image, value), 0))
    return image.graph.model(pixels_input(facts.side), vectors, dim=facts.dim)


def text_graph(weights: Weights, facts: EngineFile) -> onnx.ModelProto:
    """Build the text tower: `tokens` int64 (n, context) to `vectors` float32 (n, dim) unit rows.

    Raises:
        ConfigError: `facts` do not describe a SigLIP with a text tower.
        EngineError: the weights are not those of such a SigLIP.
    """
    if facts.text is None:
        raise ConfigError(f"engine {facts.name}: engine.toml has no [text] table")
    rows = facts.text.context
    width = weights.edge("text_model.embeddings.token_embedding.weight", -1)
    text = tower(weights, facts, clip_names("text_model"), form=(rows, width), heads=text_heads(facts))
    graph = text.graph
    value = text.norm(text.layers(words(text, "text_model.embeddings")), "text_model.final_layer_norm")
    head = text.projection("text_model.head", inner=width, outer=facts.dim)
    vectors = graph.unit(graph.linear(graph.row(value, rows - 1), *head))
    return graph.model(tokens_input(rows), vectors, dim=facts.dim)


def _pooled(image: Tower, value: Value) -> Value:
    """Let the probe attend to all patches, and a perceptron think about what it saw: (n, 1, width)."""
    graph, width, heads = image.graph, image.width, image.heads
    weights, biases = _projections(image)
    probe = image.weights.tensor(f"{_HEAD}.probe", (1, 1, width)).reshape(1, width)
    query = (probe @ weights[0].T + biases[0]) * np.float32((width // heads) ** -0.5)
    asked = graph.constant(query.reshape(1, heads, 1, width // heads))
    keys, values = (
        image.split_heads(graph.linear(value, weights[part].T, biases[part]), rows=image.rows, perm=perm)
        for part, perm in ((1, KEYS), (2, TOKENS))
    )
    shares = graph.node("Softmax", graph.node("MatMul", asked, keys), axis=-1)
    joined = image.join_heads(graph.node("MatMul", shares, values), rows=1)
    seen = graph.linear(joined, *image.projection(f"{_HEAD}.attention.out_proj", inner=width, outer=width))
    thought = image.perceptron(image.norm(seen, f"{_HEAD}.layernorm"), _HEAD)
    return graph.node("Add", seen, thought)


def _projections(image: Tower) -> tuple[np.ndarray, np.ndarray]:
    """Read the probe's query, key and value: (3, width, width) as (part, out, in), and (3, width)."""
    width = image.width
    weights = image.weights.tensor(f"{_HEAD}.attention.in_proj_weight", (3 * width, width))
    biases = image.weights.tensor(f"{_HEAD}.attention.in_proj_bias", (3 * width,))
    return weights.reshape(3, width, width), biases.reshape(3, width)
