"""Compares exported CLIP graphs with `transformers` on random weights, and prints the largest difference of each.

Needs what `requirements/train.txt` names besides Arthur's own packages: `make parity` makes an environment for it.
With `--golden FOLDER` it writes the small model that the test suite compares with instead.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
import transformers
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPVisionConfig

from arthur.encode.export.clip import image_graph, text_graph
from arthur.encode.export.config import clip_facts
from arthur.encode.export.weights import Weights
from arthur.encode.spec import EngineFile

LIMIT = 1e-5


@dataclass(frozen=True)
class Shape:
    """Size of a random CLIP; text towers are smaller than the pictures' but of the same make."""

    name: str
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


SMALL = (
    Shape("b32-like", side=224, patch=32, width=128, heads=4, layers=3, dim=64),
    Shape("b16-like", side=224, patch=16, width=128, heads=4, layers=3, dim=64),
    Shape("l14-like", side=224, patch=14, width=192, heads=6, layers=4, dim=96),
    Shape("l14-336-like", side=336, patch=14, width=128, heads=4, layers=2, dim=96),
    Shape("gelu-end-token", side=224, patch=32, width=128, heads=4, layers=3, dim=64, activation="gelu", end_token=999),
)
REAL = (
    Shape("vit-b-32", side=224, patch=32, width=768, heads=12, layers=12, dim=512, words=49408),
    Shape("vit-b-16", side=224, patch=16, width=768, heads=12, layers=12, dim=512, words=49408),
    Shape("vit-l-14", side=224, patch=14, width=1024, heads=16, layers=24, dim=768, words=49408),
)
GOLDEN = Shape("golden", side=32, patch=8, width=32, heads=4, layers=2, dim=16, context=12, words=64)


def random_model(shape: Shape, *, seed: int) -> CLIPModel:
    """Make a CLIP whose weights are large enough for every layer to matter."""
    torch.manual_seed(seed)
    model = CLIPModel(shape.config()).eval()
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            fan = tensor.shape[-1] if tensor.ndim > 1 else 16
            tensor.normal_(mean=float("norm" in name and name.endswith("weight")), std=fan**-0.5)
    return model


def questions(shape: Shape, *, seed: int, count: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Draw random pixels (count, side, side, 3) and tokens (count, context), each row with its end somewhere."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count, shape.side, shape.side, 3), dtype=np.uint8)
    tokens = rng.integers(3, shape.words - 1, (count, shape.context), dtype=np.int64)
    for row, place in enumerate(rng.integers(1, shape.context, count)):
        tokens[row, place:] = shape.words - 1
    return pixels, tokens


def answers(model: CLIPModel, facts: EngineFile, pixels: np.ndarray, tokens: np.ndarray) -> list[np.ndarray]:
    """Return the unit vectors that `transformers` gives for pixels and for tokens."""
    values = (pixels.astype(np.float32) / 255 - np.float32(facts.mean)) / np.float32(facts.std)
    with torch.inference_mode():
        image = model.get_image_features(pixel_values=torch.from_numpy(values.transpose(0, 3, 1, 2).copy()))
        text = model.get_text_features(input_ids=torch.from_numpy(tokens))
        towers = [out if isinstance(out, torch.Tensor) else out.pooler_output for out in (image, text)]
        return [(tower / tower.norm(dim=-1, keepdim=True)).numpy() for tower in towers]


def run(model: onnx.ModelProto, given: np.ndarray) -> np.ndarray:
    """Run one graph with ONNX Runtime."""
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: given})[0]


def differences(shape: Shape, *, seed: int) -> Iterator[float]:
    """Yield the largest difference of a component for the image and the text tower."""
    model = random_model(shape, seed=seed)
    pixels, tokens = questions(shape, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        facts = clip_facts(Path(folder), name=shape.name, licence="none")
        weights = Weights(Path(folder) / "model.safetensors")
        expected = answers(model, facts, pixels, tokens)
        for build, given, vectors in zip((image_graph, text_graph), (pixels, tokens), expected, strict=True):
            yield float(np.abs(run(build(weights, facts), given) - vectors).max())


def write_golden(folder: Path, *, seed: int) -> None:
    """Write config, weights and expected vectors of the golden model, with both activations."""
    pixels, tokens = questions(GOLDEN, seed=seed)
    model = random_model(GOLDEN, seed=seed)
    model.save_pretrained(folder)
    facts = clip_facts(folder, name="golden", licence="none")
    for activation in ("gelu", "quick_gelu"):
        other = CLIPModel(Shape(**{**vars(GOLDEN), "activation": activation}).config()).eval()
        other.load_state_dict(model.state_dict())
        image, text = answers(other, facts, pixels, tokens)
        np.savez_compressed(folder / f"{activation}.npz", pixels=pixels, tokens=tokens, image=image, text=text)


def main() -> int:
    """Run the comparison and return the exit status: 1 when a graph differs by more than 1e-5."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--real", action="store_true", help="also compare models of real size (minutes, 4 GB)")
    parser.add_argument("--golden", type=Path, metavar="FOLDER", help="write the tests' golden model and stop")
    given = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    if given.golden:
        write_golden(given.golden, seed=given.seed)
        return 0
    worst = 0.0
    for shape in SMALL + (REAL if given.real else ()):
        image, text = differences(shape, seed=given.seed)
        worst = max(worst, image, text)
        print(f"{shape.name:16} image {image:.2e}  text {text:.2e}", flush=True)
    print(f"{'largest':16} {worst:.2e}  (limit {LIMIT:g})")
    return int(worst > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
