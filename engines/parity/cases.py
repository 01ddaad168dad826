"""What a comparison needs: a model with random weights, its questions and answers, and the graphs of Arthur."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import nn

from arthur.encode.export.architectures import architecture
from arthur.encode.export.weights import Weights
from arthur.encode.spec import EngineFile

COUNT = 4
"""Pictures and texts in a comparison."""


@dataclass(frozen=True)
class Original:
    """A model whose weights lie in a folder, as `model.safetensors`.

    Attributes:
        facts: the model as an engine.
        towers: what the original makes of values (n, 3, side, side) float32, and of tokens (n, context) int64.
        words: size of the vocabulary.
    """

    facts: EngineFile
    towers: dict[str, Callable[[torch.Tensor], torch.Tensor]]
    words: int = 0


@dataclass(frozen=True)
class Case:
    """One comparison.

    Attributes:
        make: writes a model with random weights of that seed into a folder.
    """

    name: str
    make: Callable[[Path, int], Original]


def randomise(model: nn.Module, *, seed: int) -> None:
    """Draw weights large enough that activations do not die out."""
    torch.manual_seed(seed)
    model.eval()
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            fan = tensor.shape[-1] if tensor.ndim > 1 else 16
            centred = ("norm" in name or "ln_" in name) and name.endswith("weight")
            tensor.normal_(mean=float(centred or "lambda" in name), std=fan**-0.5)


def questions(original: Original, *, seed: int) -> dict[str, np.ndarray]:
    """Draw random pixels (n, side, side, 3), and tokens (n, context), each row with its end somewhere."""
    rng = np.random.default_rng(seed)
    side, text = original.facts.side, original.facts.text
    given = {"image": rng.integers(0, 256, (COUNT, side, side, 3), dtype=np.uint8)}
    if text:
        tokens = rng.integers(3, original.words - 1, (COUNT, text.context), dtype=np.int64)
        for row, place in enumerate(rng.integers(1, text.context, COUNT)):
            tokens[row, place:] = original.words - 1
        given["text"] = tokens
    return given


def answers(original: Original, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the unit vectors that the original gives."""
    facts = original.facts
    values = (given["image"].astype(np.float32) / 255 - np.float32(facts.mean)) / np.float32(facts.std)
    tensors = {"image": torch.from_numpy(values.transpose(0, 3, 1, 2).copy())}
    if "text" in given:
        tensors["text"] = torch.from_numpy(given["text"])
    with torch.inference_mode():
        raw = {tower: original.towers[tower](tensor) for tower, tensor in tensors.items()}
    return {tower: (vectors / vectors.norm(dim=-1, keepdim=True)).numpy() for tower, vectors in raw.items()}


def run(model: onnx.ModelProto, given: np.ndarray) -> np.ndarray:
    """Run one graph with ONNX Runtime."""
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: given})[0]


def differences(case: Case, folder: Path, *, seed: int) -> dict[str, float]:
    """Return the largest difference of a component for each tower."""
    original = case.make(folder, seed)
    given = questions(original, seed=seed)
    expected = answers(original, given)
    build, weights = architecture(original.facts), Weights(folder / "model.safetensors")
    builders = {"image": build.image, "text": build.text}
    found = {}
    for tower, vectors in expected.items():
        found[tower] = float(np.abs(run(builders[tower](weights, original.facts), given[tower]) - vectors).max())
    return found


def write_golden(case: Case, folder: Path, *, seed: int) -> None:
    """Write config, weights and expected vectors of a small model, and the graph that only `torch` can write."""
    folder.mkdir(parents=True, exist_ok=True)
    original = case.make(folder, seed)
    given = questions(original, seed=seed)
    expected = answers(original, given)
    arrays = {"pixels": given["image"], "image": expected["image"]}
    if "text" in given:
        arrays |= {"tokens": given["text"], "text": expected["text"]}
    np.savez_compressed(folder / "golden.npz", **arrays)
    if original.facts.timm:
        build = architecture(original.facts).image
        onnx.save_model(build(Weights(folder / "model.safetensors"), original.facts), folder / "image.onnx")
