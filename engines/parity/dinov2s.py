"""DINOv2s of `transformers`, with and without registers, at a side they were not trained for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import Dinov2Config, Dinov2Model, Dinov2WithRegistersConfig, Dinov2WithRegistersModel

from arthur.encode.export.config import engine_facts
from engines.parity.cases import Case, Original, randomise


@dataclass(frozen=True)
class Shape:
    """Size of a DINOv2; positions are those of pictures of `learned` pixels."""

    side: int
    width: int
    heads: int
    layers: int
    patch: int = 14
    learned: int = 518
    registers: int = 0

    def make(self, folder: Path, seed: int) -> Original:
        """Write a DINOv2 of this shape."""
        same = {
            "hidden_size": self.width, "num_attention_heads": self.heads, "num_hidden_layers": self.layers,
            "image_size": self.learned, "patch_size": self.patch,
        }  # fmt: skip
        if self.registers:
            model = Dinov2WithRegistersModel(Dinov2WithRegistersConfig(num_register_tokens=self.registers, **same))
        else:
            model = Dinov2Model(Dinov2Config(**same))
        randomise(model, seed=seed)
        model.save_pretrained(folder)
        crop = {"height": self.side, "width": self.side}
        (folder / "preprocessor_config.json").write_text(json.dumps({"crop_size": crop}))

        def image(values: torch.Tensor) -> torch.Tensor:
            return model(pixel_values=values).pooler_output

        return Original(engine_facts(folder, name="dinov2", licence="none"), {"image": image})


_SMALL = {"width": 96, "heads": 3, "layers": 3}
SMALL = (
    Case("dinov2-224-of-518", Shape(side=224, **_SMALL).make),
    Case("dinov2-518", Shape(side=518, **_SMALL).make),
    Case("dinov2-registers-224-of-518", Shape(side=224, registers=4, **_SMALL).make),
    Case("dinov2-registers-224", Shape(side=224, registers=4, learned=224, **_SMALL).make),
    Case("dinov2-enlarged", Shape(side=336, learned=224, **_SMALL).make),
    Case("dinov2-registers-enlarged", Shape(side=336, learned=224, registers=4, **_SMALL).make),
)
REAL = (
    Case("dinov2-small", Shape(side=224, width=384, heads=6, layers=12).make),
    Case("dinov2-base", Shape(side=224, width=768, heads=12, layers=12).make),
    Case("dinov2-large", Shape(side=224, width=1024, heads=16, layers=24).make),
    Case("dinov2-registers-base", Shape(side=224, width=768, heads=12, layers=12, registers=4).make),
)
_TINY = {"side": 32, "patch": 8, "learned": 56, "width": 16, "heads": 2, "layers": 2}
GOLDEN = (
    Case("dinov2", Shape(**_TINY).make),
    Case("dinov2_registers", Shape(**_TINY, registers=3).make),
)
