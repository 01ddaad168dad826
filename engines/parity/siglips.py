"""SigLIPs of `transformers`; SigLIP 2 of fixed resolution is the same network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import SiglipConfig, SiglipModel

from arthur.encode.export.config import engine_facts
from engines.parity.cases import Case, Original, randomise
from engines.parity.clips import pooled


@dataclass(frozen=True)
class Shape:
    """Size of a SigLIP, whose towers are equally wide."""

    side: int
    patch: int
    width: int
    heads: int
    layers: int
    context: int = 64
    words: int = 1000

    def make(self, folder: Path, seed: int) -> Original:
        """Write a SigLIP of this shape."""
        same = {
            "hidden_size": self.width, "intermediate_size": 4 * self.width,
            "num_attention_heads": self.heads, "num_hidden_layers": self.layers,
        }  # fmt: skip
        marks = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": 0}
        text = {"max_position_embeddings": self.context, "vocab_size": self.words, "projection_size": self.width}
        vision = {"image_size": self.side, "patch_size": self.patch}
        model = SiglipModel(SiglipConfig(text_config={**same, **text, **marks}, vision_config={**same, **vision}))
        randomise(model, seed=seed)
        model.save_pretrained(folder)

        def image_tower(values: torch.Tensor) -> torch.Tensor:
            return pooled(model.get_image_features(pixel_values=values))

        def text_tower(tokens: torch.Tensor) -> torch.Tensor:
            return pooled(model.get_text_features(input_ids=tokens))

        facts = engine_facts(folder, name="siglip", licence="none")
        return Original(facts, {"image": image_tower, "text": text_tower}, self.words)


SMALL = (
    Case("siglip2-base-like", Shape(side=224, patch=16, width=128, heads=4, layers=3).make),
    Case("siglip2-large-like", Shape(side=256, patch=16, width=192, heads=6, layers=4).make),
)
REAL = (
    Case("siglip2-base", Shape(side=224, patch=16, width=768, heads=12, layers=12, words=32000).make),
    Case("siglip2-large-256", Shape(side=256, patch=16, width=1024, heads=16, layers=24, words=32000).make),
)
GOLDEN = (Case("siglip", Shape(side=32, patch=8, width=16, heads=2, layers=2, context=12, words=64).make),)
