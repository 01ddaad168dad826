"""The two towers of a CLIP ViT as ONNX graphs, from weights with Hugging Face's names.

Everything between raw pixels and a unit vector is in the graph, so each runtime gets the same `uint8` squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx

from arthur.encode.export.graph import Graph, Value, pixels_input, tokens_input
from arthur.encode.export.weights import Weights
from arthur.encode.spec import Activation, ClipFacts, EngineFile
from arthur.errors import ConfigError, EngineError


@dataclass(frozen=True, slots=True)
class _Tower:
    """A transformer that is being written into a graph: `rows` tokens of `width`."""

    graph: Graph
    weights: Weights
    prefix: str
    rows: int
    width: int
    heads: int
    activation: Activation
    epsilon: float

    def norm(self, value: Value, name: str) -> Value:
        """Layer normalisation with the weights of that name."""
        weight, bias = (self.weights.tensor(f"{self.prefix}.{name}.{part}", (self.width,)) for part in _PARTS)
        return self.graph.layer_norm(value, weight, bias, epsilon=self.epsilon)

    def dense(self, value: Value, name: str, *, inner: int, outer: int) -> Value:
        """Matrix product and bias with the weights of that name, which are kept as (outer, inner)."""
        weight = self.weights.tensor(f"{self.prefix}.{name}.weight", (outer, inner))
        return self.graph.linear(value, weight.T, self.weights.tensor(f"{self.prefix}.{name}.bias", (outer,)))

    def layers(self, value: Value, mask: Value | None) -> Value:
        """All blocks: attention and perceptron, each normalised first and added to what went in."""
        for place in range(self.weights.layers(f"{self.prefix}.encoder.layers")):
            name = f"encoder.layers.{place}"
            attended = self._attention(self.norm(value, f"{name}.layer_norm1"), f"{name}.self_attn", mask)
            value = self.graph.node("Add", value, attended)
            value = self.graph.node("Add", value, self._perceptron(self.norm(value, f"{name}.layer_norm2"), name))
        return value

    def _perceptron(self, value: Value, name: str) -> Value:
        inner = self.weights.shape(f"{self.prefix}.{name}.mlp.fc1.weight")[0]
        hidden = self.dense(value, f"{name}.mlp.fc1", inner=self.width, outer=inner)
        active = self.graph.quick_gelu(hidden) if self.activation == "quick_gelu" else self.graph.gelu(hidden)
        return self.dense(active, f"{name}.mlp.fc2", inner=inner, outer=self.width)

    def _attention(self, value: Value, name: str, mask: Value | None) -> Value:
        """Attention of every token to every other, or to those before it where there is a mask."""
        graph, width = self.graph, self.width
        projected = graph.linear(value, *self._projections(name))
        parts = graph.nodes("Split", projected, graph.constant([width] * 3), outputs=3, axis=-1)
        query, key, values = (self._heads(part, perm) for part, perm in zip(parts, _HEADS_FIRST, strict=True))
        scores = graph.node("MatMul", query, key)
        if mask is not None:
            scores = graph.node("Add", scores, mask)
        mixed = graph.node("MatMul", graph.node("Softmax", scores, axis=-1), values)
        joined = graph.reshape(graph.node("Transpose", mixed, perm=[0, 2, 1, 3]), [0, self.rows, width])
        return self.dense(joined, f"{name}.out_proj", inner=width, outer=width)

    def _heads(self, value: Value, perm: list[int]) -> Value:
        """Split the width into heads and put them before the tokens."""
        split = self.graph.reshape(value, [0, self.rows, self.heads, self.width // self.heads])
        return self.graph.node("Transpose", split, perm=perm)

    def _projections(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Weights of query, key and value as one (width, 3 width) matrix and its bias; the query's hold the scale."""
        scale = np.float32((self.width // self.heads) ** -0.5)
        weights, biases = [], []
        for part, factor in (("q_proj", scale), ("k_proj", np.float32(1)), ("v_proj", np.float32(1))):
            path = f"{self.prefix}.{name}.{part}"
            weights.append(self.weights.tensor(f"{path}.weight", (self.width, self.width)).T * factor)
            biases.append(self.weights.tensor(f"{path}.bias", (self.width,)) * factor)
        return np.concatenate(weights, axis=1), np.concatenate(biases)


_PARTS = ("weight", "bias")
_HEADS_FIRST = ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])


def image_graph(weights: Weights, facts: EngineFile) -> onnx.ModelProto:
    """Build the image tower: `pixels` uint8 (n, side, side, 3) to `vectors` float32 (n, dim) unit rows.

    Raises:
        ConfigError: `facts` do not describe a CLIP.
        EngineError: the weights are not those of such a CLIP.
    """
    clip = _clip(facts)
    if facts.side % clip.patch:
        raise ConfigError(f"engine {facts.name}: side {facts.side} is not a multiple of patch {clip.patch}")
    edge = facts.side // clip.patch
    width = weights.shape("vision_model.embeddings.class_embedding")[-1]
    tower = _tower("vision_model", weights, facts, heads=clip.heads, form=(edge * edge + 1, width))
    graph = tower.graph
    value = tower.norm(_patches(tower, facts, clip.patch), "pre_layrnorm")
    value = graph.node("Gather", tower.layers(value, None), graph.constant(np.array(0)), axis=1)
    projection = weights.tensor("visual_projection.weight", (facts.dim, width))
    vectors = graph.unit(graph.linear(tower.norm(value, "post_layernorm"), projection.T))
    return graph.model(pixels_input(facts.side), vectors, dim=facts.dim)


def text_graph(weights: Weights, facts: EngineFile) -> onnx.ModelProto:
    """Build the text tower: `tokens` int64 (n, context) to `vectors` float32 (n, dim) unit rows.

    Raises:
        ConfigError: `facts` do not describe a CLIP with a text tower.
        EngineError: the weights are not those of such a CLIP.
    """
    clip = _clip(facts)
    if facts.text is None:
        raise ConfigError(f"engine {facts.name}: engine.toml has no [text] table")
    rows = facts.text.context
    words, width = weights.shape("text_model.embeddings.token_embedding.weight")
    tower = _tower("text_model", weights, facts, heads=clip.text_heads, form=(rows, width))
    graph = tower.graph
    table = graph.constant(weights.tensor("text_model.embeddings.token_embedding.weight", (words, width)))
    positions = weights.tensor("text_model.embeddings.position_embedding.weight", (rows, width))
    value = graph.node("Add", graph.node("Gather", table, "tokens", axis=0), graph.constant(positions))
    mask = graph.constant(np.triu(np.full((rows, rows), -np.inf, np.float32), k=1))
    value = tower.norm(tower.layers(value, mask), "final_layer_norm")
    value = graph.node("GatherND", value, _end_places(graph, facts.text.end_token), batch_dims=1)
    projection = weights.tensor("text_projection.weight", (facts.dim, width))
    return graph.model(tokens_input(rows), graph.unit(graph.linear(value, projection.T)), dim=facts.dim)


def _clip(facts: EngineFile) -> ClipFacts:
    """Return the [clip] table of `facts`."""
    if facts.clip is None:
        raise ConfigError(f"engine {facts.name}: engine.toml has no [clip] table, so its graphs cannot be built")
    return facts.clip


def _tower(prefix: str, weights: Weights, facts: EngineFile, *, heads: int, form: tuple[int, int]) -> _Tower:
    """Begin a graph for a transformer whose tokens are of `form` (rows, width)."""
    clip = _clip(facts)
    rows, width = form
    if width % heads:
        raise EngineError(f"engine {facts.name}: {prefix} is {width} wide, which {heads} heads do not divide")
    return _Tower(Graph(f"clip_{prefix}"), weights, prefix, rows, width, heads, clip.activation, clip.epsilon)


def _patches(tower: _Tower, facts: EngineFile, patch: int) -> Value:
    """Turn pixels into tokens: one for the class and one for each patch, with their positions added.

    The patch convolution is a matrix product over cut-out patches. An empty row is put before them, to which the
    class embedding is added together with its position.
    """
    graph, width, edge = tower.graph, tower.width, facts.side // patch
    values = graph.node("Cast", "pixels", to=onnx.TensorProto.FLOAT)
    values = graph.node("Sub", values, graph.constant(np.array(facts.mean, np.float32) * 255))
    values = graph.node("Mul", values, graph.constant(1 / (np.array(facts.std, np.float32) * 255)))
    cut = graph.reshape(values, [0, edge, patch, edge, patch, 3])
    rows = graph.node("Transpose", cut, perm=[0, 1, 3, 2, 4, 5])
    kernel = tower.weights.tensor("vision_model.embeddings.patch_embedding.weight", (width, 3, patch, patch))
    flat = kernel.transpose(2, 3, 1, 0).reshape(-1, width)
    tokens = graph.linear(graph.reshape(rows, [0, edge * edge, flat.shape[0]]), flat)
    padded = graph.node("Pad", tokens, graph.constant([0, 1, 0, 0, 0, 0]))
    added = tower.weights.tensor("vision_model.embeddings.position_embedding.weight", (tower.rows, width)).copy()
    added[0] += tower.weights.tensor("vision_model.embeddings.class_embedding", (width,))
    return graph.node("Add", padded, graph.constant(added))


def _end_places(graph: Graph, end_token: int | None) -> Value:
    """Find the token that holds the sentence: the first `end_token`, or the first of the highest id; (n, 1) int64."""
    if end_token is None:
        marks = "tokens"
    else:
        equal = graph.node("Equal", "tokens", graph.constant(np.array(end_token, np.int64)))
        marks = graph.node("Cast", equal, to=onnx.TensorProto.INT32)
    return graph.node("ArgMax", marks, axis=-1, keepdims=1)
