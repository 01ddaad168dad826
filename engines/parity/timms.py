"""Models of `timm`: plain ViTs, which Arthur builds, and others, which `torch` writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file
from timm.models._hub import save_config_for_hf
from timm.models.vision_transformer import VisionTransformer
from torch import nn

from arthur.encode.export.config import engine_facts
from arthur.encode.spec import EngineFile, ImageGraph, VitFacts, engine_file_text
from engines.parity.cases import Case, Original, randomise


@dataclass(frozen=True)
class Plain:
    """Size of a plain ViT that has no name in `timm`."""

    side: int
    patch: int
    width: int
    heads: int
    layers: int

    def make(self, folder: Path, seed: int) -> Original:
        """Write a ViT of this size."""
        model = VisionTransformer(
            img_size=self.side, patch_size=self.patch, embed_dim=self.width, depth=self.layers, num_heads=self.heads,
            num_classes=10,
        )  # fmt: skip
        randomise(model, seed=seed)
        facts = EngineFile(
            name="timm-vit", architecture="timm-vit", licence="none", side=self.side, fit="crop", dim=self.width,
            mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), image=ImageGraph(file="image.onnx"),
            vit=VitFacts(patch=self.patch, heads=self.heads, activation="gelu", epsilon=1e-6),
        )  # fmt: skip
        folder.joinpath("engine.toml").write_text(engine_file_text(facts))
        save(model, folder)
        return Original(facts, {"image": features(model)})


def named(name: str) -> Callable[[Path, int], Original]:
    """Return what writes the model of that name, with the `config.json` that `timm` writes."""

    def make(folder: Path, seed: int) -> Original:
        model = timm.create_model(name)
        settle(model, side=model.pretrained_cfg["input_size"][1], seed=seed)
        save_config_for_hf(model, str(folder / "config.json"))
        save(model, folder)
        facts = engine_facts(folder, name=name.replace("_", "-"), licence="none")
        return Original(facts, {"image": features(model)})

    return make


def features(model: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return what computes the vectors from which the classifier would tell classes."""
    return lambda values: model.forward_head(model.forward_features(values), pre_logits=True)


def settle(model: nn.Module, *, side: int, seed: int) -> None:
    """Draw weights, and let batch normalisation see pictures, so that activations neither die out nor grow."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if tensor.ndim == 1:
                tensor.normal_(mean=float(name.endswith(("weight", "gamma"))), std=0.1)
        model.train()
        for _ in range(3):
            model(torch.randn(4, 3, side, side))
    model.eval()


def save(model: nn.Module, folder: Path) -> None:
    """Write the weights."""
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(state, folder / "model.safetensors")


SMALL = (
    Case("timm-vit-16-like", Plain(side=224, patch=16, width=128, heads=2, layers=3).make),
    Case("timm-vit_tiny_patch16_224", named("vit_tiny_patch16_224")),
    Case("timm-resnet18", named("resnet18")),
    Case("timm-convnext_atto", named("convnext_atto")),
    Case("timm-mobilenetv4_conv_small", named("mobilenetv4_conv_small")),
    Case("timm-efficientnet_b0", named("efficientnet_b0")),
)
REAL = (
    Case("timm-vit_small_patch32_224", named("vit_small_patch32_224")),
    Case("timm-vit_base_patch16_224", named("vit_base_patch16_224")),
    Case("timm-vit_base_patch14_dinov2", named("vit_base_patch14_reg4_dinov2")),
    Case("timm-swin_tiny", named("swin_tiny_patch4_window7_224")),
    Case("timm-eva02_tiny", named("eva02_tiny_patch14_224")),
)
GOLDEN = (Case("timm_vit", Plain(side=32, patch=8, width=16, heads=2, layers=2).make),)
