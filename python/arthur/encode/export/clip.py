"""The two towers of a CLIP ViT as ONNX graphs.

Everything between raw pixels and a unit vector is in the graph, so each runtime gets the same `uint8` squares.
"""

from __future__ import annotations

import numpy as np
import onnx

from arthur.encode.export.graph import Graph, Value, pixels_input, tokens_input
from arthur.encode.export.towers import Names, patch_edge, patches, prepend, text_heads, tower, vit_facts, words
from arthur.encode.export.weights import Weights
from arthur.encode.spec import EngineFile
from arthur.errors import ConfigError

_EMBEDDINGS = "vision_model.embeddings"


def image_graph(weights: Weights, facts: EngineFile) -> onnx.ModelProto:
    """Build the image tower: `pixels` uint8 (n, side, side, 3) to `vectors` float32 (n, dim) unit rows.

    Raises:
        ConfigError: `facts` do not describe a CLIP.
        EngineError: the weights are not those of such a CLIP.
    """
    vit, edge = vit_facts(facts), patch_edge(facts)
    width = weights.edge(f"{_EMBEDDINGS}.class_embedding", -1)
    form = (edge * edge + 1, width)
    image = tower(weights, facts, clip_names("vision_model"), form=form, heads=vit.heads)
    kernel = weights.tensor(f"{_EMBEDDINGS}.patch_embedding.weight", (width, 3, vit.patch, vit.patch))
    added = weights.tensor(f"{_EMBEDDINGS}.position_embedding.weight", form).copy()
    added[0] += weights.tensor(f"{_EMBEDDINGS}.class_embedding", (width,))
    value = prepend(image, patches(image, facts, kernel, None), added, count=1)
    graph = image.graph
    value = image.layers(image.norm(value, "vision_model.pre_layrnorm"))
    value = image.norm(graph.row(value, 0), "vision_model.post_layernorm")
    projection = weights.tensor("visual_projection.weight", (facts.dim, width))
    vectors = graph.unit(graph.linear(value, projection.T))
    return graph.model(pixels_input(facts.side), vectors, dim=facts.dim)


def text_graph(weights: Weights, facts: EngineFile, *, causal: bool = True) -> onnx.ModelProto:
    """Build the text tower: `tokens` int64 (n, context) to `vectors` float32 (n, dim) unit rows.

    In a causal one, as CLIP's is, a word sees only those before it.

    Raises:
        ConfigError: `facts` do not describe a CLIP with a text tower.
        EngineError: the weights are not those of such a CLIP.
    """
    if facts.text is None:
        raise ConfigError(f"engine {facts.name}: engine.toml has no [text] table")
    rows = facts.text.context
    width = weights.edge("text_model.embeddings.token_embedding.weight", -1)
    text = tower(weights, facts, clip_names("text_model"), form=(rows, width), heads=text_heads(facts))
    graph = text.graph
    mask = graph.constant(np.triu(np.full((rows, rows), -np.inf, np.float32), k=1)) if causal else None
    value = text.layers(words(text, "text_model.embeddings"), mask)
    value = text.norm(value, "text_model.final_layer_norm")
    value = graph.node("GatherND", value, _end_places(graph, facts.text.end_token), batch_dims=1)
    projection = weights.tensor("text_projection.weight", (facts.dim, width))
    return graph.model(tokens_input(rows), graph.unit(graph.linear(value, projection.T)), dim=facts.dim)


def clip_names(prefix: str) -> Names:
    """Return where the CLIPs and SigLIPs of Hugging Face keep the weights of the tower `prefix`."""
    return Names(
        layers=f"{prefix}.encoder.layers",
        norms=("layer_norm1", "layer_norm2"),
        projections=("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        output="self_attn.out_proj",
    )


def _end_places(graph: Graph, end_token: int | None) -> Value:
    """Find the token that holds the sentence: the first `end_token`, or the first of the highest id; (n, 1) int64."""
    if end_token is None:
        marks = "tokens"
    else:
        equal = graph.node("Equal", "tokens", graph.constant(np.array(end_token, np.int64)))
        marks = graph.node("Cast", equal, to=onnx.TensorProto.INT32)
    return graph.node("ArgMax", marks, axis=-1, keepdims=1)
