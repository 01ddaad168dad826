"""MobileCLIP2s of `open_clip`: a FastViT of `timm`, which `torch` writes, and a text tower, which Arthur builds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import open_clip
from open_clip.model import CustomTextCLIP

from arthur.encode.spec import EngineFile, ImageGraph, TextGraph, TimmFacts, engine_file_text
from engines.parity.cases import Case, Original, randomise
from engines.parity.timms import save, settle


@dataclass(frozen=True)
class Shape:
    """A MobileCLIP2: the FastViT by its name, and the size of the text tower.

    Attributes:
        arguments: what `timm` makes the FastViT with besides.
    """

    model: str
    dim: int
    width: int
    layers: int
    side: int = 256
    context: int = 77
    words: int = 1000
    arguments: tuple[tuple[str, object], ...] = ()

    def facts(self) -> EngineFile:
        """Describe the model as an engine."""
        return EngineFile(
            name="mobileclip", architecture="mobileclip", licence="none", side=self.side, fit="crop", dim=self.dim,
            mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), image=ImageGraph(file="image.onnx"),
            text=TextGraph(file="text.onnx", context=self.context),
            timm=TimmFacts(model=self.model, arguments=dict(self.arguments)),
        )  # fmt: skip

    def make(self, folder: Path, seed: int) -> Original:
        """Write a MobileCLIP2 of this shape."""
        config = open_clip.get_model_config("MobileCLIP2-S0")
        vision = {**config["vision_cfg"], "timm_model_name": self.model, "image_size": self.side}
        text = {
            **config["text_cfg"], "context_length": self.context, "vocab_size": self.words, "width": self.width,
            "heads": max(1, self.width // 64), "layers": self.layers,
        }  # fmt: skip
        model = CustomTextCLIP(self.dim, vision, text)
        if self.arguments:
            import timm

            model.visual.trunk = timm.create_model(self.model, num_classes=self.dim, **dict(self.arguments))
        randomise(model.text, seed=seed)
        settle(model.visual, side=self.side, seed=seed)
        model.eval()
        (folder / "engine.toml").write_text(engine_file_text(self.facts()))
        save(model, folder)
        return Original(self.facts(), {"image": model.encode_image, "text": model.encode_text}, self.words)


SMALL = (Case("mobileclip2-s0-like", Shape("fastvit_mci0", dim=512, width=512, layers=3).make),)
REAL = (
    Case("mobileclip2-s0", Shape("fastvit_mci0", dim=512, width=512, layers=12, words=49408).make),
    Case("mobileclip2-s2", Shape("fastvit_mci2", dim=512, width=512, layers=12, words=49408).make),
)
_FEW = (("layers", [1, 1, 1, 1]), ("embed_dims", [8, 8, 16, 32]))
_TINY = {"dim": 8, "width": 16, "layers": 2, "side": 64, "context": 12, "words": 64}
GOLDEN = (Case("mobileclip", Shape("fastvit_mci0", arguments=_FEW, **_TINY).make),)
