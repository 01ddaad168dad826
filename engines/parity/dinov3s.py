"""DINOv3 ViTs of `transformers`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import DINOv3ViTConfig, DINOv3ViTModel

from arthur.encode.export.config import engine_facts
from engines.parity.cases import Case, Original, randomise


@dataclass(frozen=True)
class Shape:
    """Size of a DINOv3 ViT."""

    side: int
    width: int
    heads: int
    layers: int
    patch: int = 16
    registers: int = 4

    def make(self, folder: Path, seed: int) -> Original:
        """Write a DINOv3 of this shape."""
        config = DINOv3ViTConfig(
            hidden_size=self.width, intermediate_size=4 * self.width, num_attention_heads=self.heads,
            num_hidden_layers=self.layers, image_size=224, patch_size=self.patch, num_register_tokens=self.registers,
        )  # fmt: skip
        model = DINOv3ViTModel(config)
        randomise(model, seed=seed)
        model.save_pretrained(folder)
        size = {"height": self.side, "width": self.side}
        (folder / "preprocessor_config.json").write_text(json.dumps({"size": size}))

        def image(values: torch.Tensor) -> torch.Tensor:
            return model(pixel_values=values).pooler_output

        return Original(engine_facts(folder, name="dinov3", licence="none"), {"image": image})


SMALL = (
    Case("dinov3-224", Shape(side=224, width=96, heads=3, layers=3).make),
    Case("dinov3-320-of-224", Shape(side=320, width=128, heads=4, layers=2).make),
)
REAL = (
    Case("dinov3-small", Shape(side=224, width=384, heads=6, layers=12).make),
    Case("dinov3-base", Shape(side=224, width=768, heads=12, layers=12).make),
    Case("dinov3-large", Shape(side=224, width=1024, heads=16, layers=24).make),
)
GOLDEN = (Case("dinov3", Shape(side=32, width=16, heads=2, layers=2, patch=8, registers=3).make),)
