"""The text tower of a MobileCLIP as an ONNX graph; its image tower is a FastViT of `timm`, which `torch` writes."""

from __future__ import annotations

import onnx

from arthur.encode.export.clip import text_graph as clip_text_graph
from arthur.encode.export.weights import Weights
from arthur.encode.spec import EngineFile, VitFacts

_HEAD_WIDTH = 64


def text_graph(weights: Weights, facts: EngineFile) -> onnx.ModelProto:
    """Build the text tower, that of a CLIP in which each word sees all others. See `clip.text_graph`."""
    heads = max(1, weights.edge("text_model.embeddings.token_embedding.weight", -1) // _HEAD_WIDTH)
    # there is no ViT: of this table only what tells of texts is read
    vit = VitFacts(patch=1, heads=heads, text_heads=heads, activation="gelu")
    return clip_text_graph(weights, facts.model_copy(update={"vit": vit}), causal=False)
