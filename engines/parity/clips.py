"""CLIPs of `transformers`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPVisionConfig

from arthur.encode.export.config import engine_facts
from engines.parity.cases import Case, Original, randomise


@dataclass(frozen=True)
class Shape:
    """Size of a CLIP; text towers are smaller than the pictures' but of the same make."""

    side: int
    patch: int
    width: int
    heads: int
    layers: int
    dim: int
    context: int = 77
    words: int = 1000
    activation: str = "quick_gelu"
    end_token: int = 2

    def config(self) -> CLIPConfig:
        """Return the configuration as `transformers` has it."""
        same = {"hidden_act": self.activation, "projection_dim": self.dim, "num_hidden_layers": self.layers}
        vision = CLIPVisionConfig(
            hidden_size=self.width, intermediate_size=4 * self.width, num_attention_heads=self.heads,
            image_size=self.side, patch_size=self.patch, **same,
        )  # fmt: skip
        text = CLIPTextConfig(
            hidden_size=self.width // 2, intermediate_size=2 * self.width, num_attention_heads=self.heads // 2,
            max_position_embeddings=self.context, vocab_size=self.words, eos_token_id=self.end_token, **same,
        )  # fmt: skip
        return CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=self.dim)

    def make(self, folder: Path, seed: int) -> Original:
        """Write a CLIP of this shape."""
        model = CLIPModel(self.config())
        randomise(model, seed=seed)
        model.save_pretrained(folder)

        def image(values: torch.Tensor) -> torch.Tensor:
            return pooled(model.get_image_features(pixel_values=values))

        def text(tokens: torch.Tensor) -> torch.Tensor:
            return pooled(model.get_text_features(input_ids=tokens))

        facts = engine_facts(folder, name="clip", licence="none")
        return Original(facts, {"image": image, "text": text}, self.words)


def pooled(answer: object) -> torch.Tensor:
    """Take the vectors, which newer versions of `transformers` wrap."""
    return answer if isinstance(answer, torch.Tensor) else answer.pooler_output


_TINY = {"side": 32, "patch": 8, "width": 32, "heads": 4, "layers": 2, "dim": 16, "context": 12, "words": 64}
_END = {"activation": "gelu", "end_token": 999}
SMALL = (
    Case("clip-b32-like", Shape(side=224, patch=32, width=128, heads=4, layers=3, dim=64).make),
    Case("clip-b16-like", Shape(side=224, patch=16, width=128, heads=4, layers=3, dim=64).make),
    Case("clip-l14-like", Shape(side=224, patch=14, width=192, heads=6, layers=4, dim=96).make),
    Case("clip-l14-336-like", Shape(side=336, patch=14, width=128, heads=4, layers=2, dim=96).make),
    Case("clip-gelu-end-token", Shape(side=224, patch=32, width=128, heads=4, layers=3, dim=64, **_END).make),
)
REAL = (
    Case("clip-vit-b32", Shape(side=224, patch=32, width=768, heads=12, layers=12, dim=512, words=49408).make),
    Case("clip-vit-b16", Shape(side=224, patch=16, width=768, heads=12, layers=12, dim=512, words=49408).make),
    Case("clip-vit-l14", Shape(side=224, patch=14, width=1024, heads=16, layers=24, dim=768, words=49408).make),
    Case("clip-vit-l14-336", Shape(side=336, patch=14, width=1024, heads=16, layers=24, dim=768, words=49408).make),
)
GOLDEN = (Case("clip", Shape(**_TINY).make),)
