"""Engines of real size with random weights: they take the time of real ones, and need no download."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from safetensors.numpy import save_file

from arthur.encode.export.clip import image_graph
from arthur.encode.export.weights import Weights
from arthur.encode.folder import EngineFolder, open_folder, sha256_of
from arthur.encode.golden import Golden, save_golden
from arthur.encode.runners import open_runner
from arthur.encode.samples import drawn
from arthur.encode.spec import EngineFile, GoldenFile, engine_file_text

_GOLDEN = 8
_SPREAD = 0.02


@dataclass(frozen=True, slots=True)
class Size:
    """A vision transformer of CLIP: width, layers, heads, patch, side of the picture and length of a vector."""

    width: int
    layers: int
    heads: int
    patch: int
    side: int
    dim: int


SIZES = {
    "tiny": Size(64, 2, 2, 8, 32, 16),
    "clip-b32": Size(768, 12, 12, 32, 224, 512),
    "clip-l14": Size(1024, 24, 16, 14, 224, 768),
}


def random_engine(name: str, *, into: Path, seed: int = 0) -> EngineFolder:
    """Write the engine of that size at `into/name`, with golden vectors of the full graph on the CPU, or find it."""
    folder, size = into / name, SIZES[name]
    if (folder / "engine.toml").is_file():
        return open_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(_weights(size, np.random.default_rng(seed)), folder / "model.safetensors")
    facts = _facts(name, size)
    onnx.save(image_graph(Weights(folder / "model.safetensors"), facts), folder / facts.image.file)
    image = facts.image.model_copy(update={"sha256": sha256_of(folder / facts.image.file)})
    facts = facts.model_copy(update={"image": image})
    pixels = drawn(size.side, count=_GOLDEN)
    vectors = open_runner(EngineFolder(folder, facts), "fp32", threads=0).run(pixels)
    save_golden(folder / "golden.npz", Golden(pixels, vectors))
    facts = facts.model_copy(update={"golden": GoldenFile(file="golden.npz")})
    (folder / "engine.toml").write_text(engine_file_text(facts), encoding="utf-8")
    return open_folder(folder)


def _facts(name: str, size: Size) -> EngineFile:
    return EngineFile.model_validate(
        {
            "name": name,
            "architecture": "clip",
            "licence": "none",
            "side": size.side,
            "fit": "crop",
            "dim": size.dim,
            "mean": (0.48145466, 0.4578275, 0.40821073),
            "std": (0.26862954, 0.26130258, 0.27577711),
            "image": {"file": "image.onnx"},
            "vit": {"patch": size.patch, "heads": size.heads, "activation": "quick_gelu"},
        }
    )


def _weights(size: Size, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw the tensors of an image tower, under the names that Hugging Face gives them."""
    width, inner, tower = size.width, 4 * size.width, "vision_model"
    rows = (size.side // size.patch) ** 2 + 1
    shapes = {
        f"{tower}.embeddings.class_embedding": (width,),
        f"{tower}.embeddings.patch_embedding.weight": (width, 3, size.patch, size.patch),
        f"{tower}.embeddings.position_embedding.weight": (rows, width),
        "visual_projection.weight": (size.dim, width),
    }
    for place in range(size.layers):
        path = f"{tower}.encoder.layers.{place}"
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes |= {f"{path}.self_attn.{name}.weight": (width, width), f"{path}.self_attn.{name}.bias": (width,)}
        shapes |= {f"{path}.mlp.fc1.weight": (inner, width), f"{path}.mlp.fc1.bias": (inner,)}
        shapes |= {f"{path}.mlp.fc2.weight": (width, inner), f"{path}.mlp.fc2.bias": (width,)}
    drawn_ = {name: rng.normal(0, _SPREAD, shape).astype(np.float32) for name, shape in shapes.items()}
    norms = [f"{tower}.pre_layrnorm", f"{tower}.post_layernorm"]
    norms += [f"{tower}.encoder.layers.{place}.layer_norm{which}" for place in range(size.layers) for which in (1, 2)]
    for path in norms:
        drawn_ |= {f"{path}.weight": np.ones(width, np.float32), f"{path}.bias": np.zeros(width, np.float32)}
    return drawn_


def main() -> None:
    """Write the named engines: `python -m bench.gpu.engines FOLDER NAME...`."""
    into, *names = sys.argv[1:]
    for name in names:
        begun = time.perf_counter()
        random_engine(name, into=Path(into))
        print(f"{name}: written in {time.perf_counter() - begun:.1f} s", flush=True)


if __name__ == "__main__":
    main()
