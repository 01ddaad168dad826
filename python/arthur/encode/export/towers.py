"""A transformer that is being written into an ONNX graph, whatever names its family gives to the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import onnx

from arthur.encode.export.graph import Graph, Value, Weight
from arthur.encode.export.weights import Weights
from arthur.encode.spec import EngineFile, VitFacts
from arthur.errors import ConfigError, EngineError

Projection: TypeAlias = tuple[Weight, Weight]
"""An (in, out) matrix and its (out,) bias."""


TOKENS = [0, 2, 1, 3]
"""The order of axes that puts heads before tokens, and back."""
KEYS = [0, 2, 3, 1]
"""The same for keys, whose tokens come last."""


@dataclass(frozen=True, slots=True)
class Names:
    """Where a family keeps the weights of its layers.

    Attributes:
        layers: the path before a layer's number.
        norms: what is normalised before attention and before the perceptron.
        projections: query, key and value.
        output: what joins the heads.
        perceptron: its two matrices.
        scales: factors of what attention and perceptron add, or None where there are none.
        biased: which of query, key and value have a bias.
    """

    layers: str
    norms: tuple[str, str]
    projections: tuple[str, str, str]
    output: str
    perceptron: tuple[str, str] = ("mlp.fc1", "mlp.fc2")
    scales: tuple[str, str] | None = None
    biased: tuple[bool, bool, bool] = (True, True, True)


@dataclass(frozen=True, slots=True)
class Rotation:
    """Angles by which queries and keys are turned, two numbers at a time, so that they tell where they stand.

    Attributes:
        cosines, sines: (rows, width of a head) float32; the sines of the first half are negative.
    """

    cosines: Weight
    sines: Weight


@dataclass(frozen=True, slots=True)
class Tower:
    """A transformer of `rows` tokens of `width`; paths of weights are whole."""

    graph: Graph
    weights: Weights
    names: Names
    vit: VitFacts
    rows: int
    width: int
    heads: int
    rotation: Rotation | None = None

    def norm(self, value: Value, path: str) -> Value:
        """Layer normalisation with the weights at that path."""
        weight, bias = (self.weights.tensor(f"{path}.{part}", (self.width,)) for part in ("weight", "bias"))
        return self.graph.layer_norm(value, weight, bias, epsilon=self.vit.epsilon)

    def projection(self, path: str, *, inner: int, outer: int, biased: bool = True) -> Projection:
        """Read a matrix that is kept as (outer, inner), and its bias; zeros where it has none."""
        weight = self.weights.tensor(f"{path}.weight", (outer, inner))
        return weight.T, self.weights.tensor(f"{path}.bias", (outer,)) if biased else np.zeros(outer, np.float32)

    def layers(self, value: Value, mask: Value | None = None) -> Value:
        """All blocks: attention and perceptron, each normalised first and added to what went in."""
        names = self.names
        for place in range(self.weights.layers(names.layers)):
            path = f"{names.layers}.{place}"
            scales = [f"{path}.{scale}" for scale in names.scales] if names.scales else [None, None]
            attended = self._attention(self.norm(value, f"{path}.{names.norms[0]}"), path, mask, scales[0])
            value = self.graph.node("Add", value, attended)
            thought = self.perceptron(self.norm(value, f"{path}.{names.norms[1]}"), path, scale=scales[1])
            value = self.graph.node("Add", value, thought)
        return value

    def perceptron(self, value: Value, path: str, *, scale: str | None = None) -> Value:
        """Two matrix products with the activation between them."""
        first, second = (f"{path}.{name}" for name in self.names.perceptron)
        inner = self.weights.edge(f"{first}.weight", 0)
        hidden = self.graph.linear(value, *self.projection(first, inner=self.width, outer=inner))
        last = self.projection(second, inner=inner, outer=self.width)
        return self.graph.linear(self.graph.activation(hidden, self.vit.activation), *self._scaled(last, scale))

    def split_heads(self, value: Value, *, rows: int, perm: list[int]) -> Value:
        """Split the width into heads and put them before the tokens, in the order `perm`."""
        split = self.graph.reshape(value, [0, rows, self.heads, self.width // self.heads])
        return self.graph.node("Transpose", split, perm=perm)

    def join_heads(self, value: Value, *, rows: int) -> Value:
        """Undo `split_heads`."""
        return self.graph.reshape(self.graph.node("Transpose", value, perm=TOKENS), [0, rows, self.width])

    def _attention(self, value: Value, path: str, mask: Value | None, scale: str | None) -> Value:
        """Attention of every token to every other, or to those before it where there is a mask."""
        graph, names = self.graph, self.names
        projected = graph.linear(value, *self._projections(path))
        parts = graph.nodes("Split", projected, graph.constant([self.width] * 3), outputs=3, axis=-1)
        query, key = self._turned(parts[0], TOKENS), self._turned(parts[1], KEYS)
        values = self.split_heads(parts[2], rows=self.rows, perm=TOKENS)
        scores = graph.node("MatMul", query, key)
        if mask is not None:
            scores = graph.node("Add", scores, mask)
        mixed = graph.node("MatMul", graph.node("Softmax", scores, axis=-1), values)
        last = self.projection(f"{path}.{names.output}", inner=self.width, outer=self.width)
        return graph.linear(self.join_heads(mixed, rows=self.rows), *self._scaled(last, scale))

    def _turned(self, value: Value, perm: list[int]) -> Value:
        """Split queries or keys into heads, in the order `perm`, turned where the tower has a rotation."""
        if self.rotation is None:
            return self.split_heads(value, rows=self.rows, perm=perm)
        graph, half = self.graph, self.width // self.heads // 2
        heads = self.split_heads(value, rows=self.rows, perm=TOKENS)
        left, right = graph.nodes("Split", heads, graph.constant([half, half]), outputs=2, axis=-1)
        swapped = graph.node("Concat", right, left, axis=-1)
        straight = graph.node("Mul", heads, graph.constant(self.rotation.cosines))
        turned = graph.node("Add", straight, graph.node("Mul", swapped, graph.constant(self.rotation.sines)))
        return turned if perm == TOKENS else graph.node("Transpose", turned, perm=[0, 1, 3, 2])

    def _projections(self, path: str) -> Projection:
        """Weights of query, key and value as one (width, 3 width) matrix and its bias; the query's hold the scale."""
        factors = (np.float32((self.width // self.heads) ** -0.5), np.float32(1), np.float32(1))
        edges = {"inner": self.width, "outer": self.width}
        named = zip(self.names.projections, self.names.biased, strict=True)
        parts = [self.projection(f"{path}.{name}", **edges, biased=biased) for name, biased in named]
        weights = [weight * factor for (weight, _), factor in zip(parts, factors, strict=True)]
        biases = [bias * factor for (_, bias), factor in zip(parts, factors, strict=True)]
        return np.concatenate(weights, axis=1), np.concatenate(biases)

    def _scaled(self, projection: Projection, scale: str | None) -> Projection:
        """Multiply a projection's columns with the factors at the path `scale`."""
        if scale is None:
            return projection
        factors = self.weights.tensor(scale, (self.width,))
        return projection[0] * factors, projection[1] * factors


def vit_facts(facts: EngineFile) -> VitFacts:
    """Return the [vit] table of `facts`.

    Raises:
        ConfigError: there is none.
    """
    if facts.vit is None:
        raise ConfigError(f"engine {facts.name}: engine.toml has no [vit] table, so its graphs cannot be built")
    return facts.vit


def patch_edge(facts: EngineFile) -> int:
    """Return the number of patches along an edge of the picture.

    Raises:
        ConfigError: the patches do not fill the picture.
    """
    patch = vit_facts(facts).patch
    if facts.side % patch:
        raise ConfigError(f"engine {facts.name}: side {facts.side} is not a multiple of patch {patch}")
    return facts.side // patch


def text_heads(facts: EngineFile) -> int:
    """Return the heads of the text tower.

    Raises:
        ConfigError: the [vit] table does not tell them.
    """
    heads = vit_facts(facts).text_heads
    if heads is None:
        raise ConfigError(f"engine {facts.name}: [vit] has no text_heads, so its text tower cannot be built")
    return heads


def tower(weights: Weights, facts: EngineFile, names: Names, *, form: tuple[int, int], heads: int) -> Tower:
    """Begin the graph of a transformer whose tokens are of `form` (rows, width).

    Raises:
        EngineError: the heads do not divide the width.
    """
    rows, width = form
    if width % heads:
        raise EngineError(f"engine {facts.name}: {names.layers} is {width} wide, which {heads} heads do not divide")
    graph = Graph(f"{facts.architecture}: {names.layers}")
    return Tower(graph, weights, names, vit_facts(facts), rows, width, heads)


def words(tower: Tower, path: str) -> Value:
    """Turn tokens into rows: their embeddings at `path`, with the positions beside them added."""
    graph, weights = tower.graph, tower.weights
    vocabulary = weights.edge(f"{path}.token_embedding.weight", 0)
    table = graph.constant(weights.tensor(f"{path}.token_embedding.weight", (vocabulary, tower.width)))
    positions = weights.tensor(f"{path}.position_embedding.weight", (tower.rows, tower.width))
    return graph.node("Add", graph.node("Gather", table, "tokens", axis=0), graph.constant(positions))


def patches(tower: Tower, facts: EngineFile, kernel: Weight, bias: Weight | None) -> Value:
    """Turn pixels into one row for each patch: (n, edge * edge, width).

    The patch convolution with `kernel` (width, 3, patch, patch) is a matrix product over cut-out patches.
    """
    graph, edge, patch = tower.graph, patch_edge(facts), vit_facts(facts).patch
    values = graph.node("Cast", "pixels", to=onnx.TensorProto.FLOAT)
    values = graph.node("Sub", values, graph.constant(np.array(facts.mean, np.float32) * 255))
    values = graph.node("Mul", values, graph.constant(1 / (np.array(facts.std, np.float32) * 255)))
    cut = graph.reshape(values, [0, edge, patch, edge, patch, 3])
    rows = graph.node("Transpose", cut, perm=[0, 1, 3, 2, 4, 5])
    flat = kernel.transpose(2, 3, 1, 0).reshape(-1, tower.width)
    return graph.linear(graph.reshape(rows, [0, edge * edge, flat.shape[0]]), flat, bias)


def prepend(tower: Tower, tokens: Value, rows: Weight, *, count: int) -> Value:
    """Put `count` empty rows before the patches, and add `rows` to all of them."""
    graph = tower.graph
    padded = graph.node("Pad", tokens, graph.constant([0, count, 0, 0, 0, 0]))
    return graph.node("Add", padded, graph.constant(rows))
