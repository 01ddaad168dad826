"""CLIPs of `open_clip`, whose weights have other names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import open_clip
from safetensors.torch import save_file

from arthur.encode.spec import EngineFile, ImageGraph, TextGraph, VitFacts, engine_file_text
from engines.parity.cases import Case, Original, randomise


@dataclass(frozen=True)
class Shape:
    """Size of a CLIP; heads of the image tower are 64 wide in the models of real size."""

    side: int
    patch: int
    width: int
    heads: int
    layers: int
    dim: int
    text_width: int
    text_heads: int
    text_layers: int
    context: int = 77
    words: int = 1000
    quick: bool = False

    def facts(self) -> EngineFile:
        """Describe the model as an engine."""
        activation = "quick_gelu" if self.quick else "gelu"
        return EngineFile(
            name="open-clip", architecture="clip", licence="none", side=self.side, fit="crop", dim=self.dim,
            mean=(0.48, 0.46, 0.41), std=(0.27, 0.26, 0.28), image=ImageGraph(file="image.onnx"),
            text=TextGraph(file="text.onnx", context=self.context),
            vit=VitFacts(patch=self.patch, heads=self.heads, text_heads=self.text_heads, activation=activation),
        )  # fmt: skip

    def make(self, folder: Path, seed: int) -> Original:
        """Write a CLIP of this shape."""
        vision = {"image_size": self.side, "patch_size": self.patch, "width": self.width, "layers": self.layers}
        text = {"context_length": self.context, "vocab_size": self.words, "width": self.text_width}
        model = open_clip.CLIP(
            self.dim,
            {**vision, "head_width": self.width // self.heads},
            {**text, "heads": self.text_heads, "layers": self.text_layers},
            quick_gelu=self.quick,
        )
        randomise(model, seed=seed)
        (folder / "engine.toml").write_text(engine_file_text(self.facts()))
        save_file(
            {name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / "model.safetensors"
        )
        return Original(self.facts(), {"image": model.encode_image, "text": model.encode_text}, self.words)


_BASE = {"width": 768, "heads": 12, "layers": 12, "dim": 512, "text_width": 512, "text_heads": 8, "text_layers": 12}
_LARGE = {"width": 1024, "heads": 16, "layers": 24, "dim": 768, "text_width": 768, "text_heads": 12, "text_layers": 12}
_LIKE = {"width": 128, "heads": 4, "layers": 3, "dim": 64, "text_width": 64, "text_heads": 2, "text_layers": 3}
SMALL = (
    Case("open-clip-b32-like", Shape(side=224, patch=32, **_LIKE).make),
    Case("open-clip-b16-like", Shape(side=224, patch=16, **_LIKE).make),
    Case("open-clip-l14-like", Shape(side=224, patch=14, **_LIKE).make),
    Case("open-clip-l14-336-quick", Shape(side=336, patch=14, quick=True, **_LIKE).make),
)
REAL = (
    Case("openclip-vit-b32", Shape(side=224, patch=32, words=49408, **_BASE).make),
    Case("openclip-vit-b16", Shape(side=224, patch=16, words=49408, **_BASE).make),
    Case("openclip-vit-l14", Shape(side=224, patch=14, words=49408, **_LARGE).make),
    Case("openclip-vit-l14-336-quick", Shape(side=336, patch=14, words=49408, quick=True, **_LARGE).make),
)
_TINY = {"width": 16, "heads": 2, "layers": 2, "dim": 8, "text_width": 8, "text_heads": 2, "text_layers": 2}
GOLDEN = (Case("open_clip", Shape(side=32, patch=8, context=12, words=64, **_TINY).make),)
