"""What torch, which runs an engine's ONNX graph by itself, gives beside ONNX Runtime."""

from __future__ import annotations

import tempfile
from pathlib import Path

from arthur.encode.export.engine import export_engine
from arthur.encode.export.materials import local_materials
from arthur.encode.folder import EngineFolder, open_folder, packaged_engines
from arthur.encode.golden import distances
from arthur.encode.runners import open_runner
from arthur.encode.samples import drawn
from arthur.encode.targets import Target
from arthur.encode.torch_tensorrt import exported

GOLDEN = Path(__file__).parents[2] / "tests" / "engines" / "golden"
_PICTURES = 8
_HALF = 1e-4
"""Largest 1 - cosine of fp16; bfloat16 has an eighth of its digits."""


def torch_differences() -> dict[str, float]:
    """Return for each small golden model, and arthur-mini, the largest difference of a component in fp32.

    Raises:
        AssertionError: fp16 or bf16 is too far off, or torch exports another graph.
    """
    with tempfile.TemporaryDirectory() as into:
        folders = [_folder(path, Path(into)) for path in sorted(GOLDEN.iterdir()) if path.is_dir()]
        folders.append(open_folder(packaged_engines() / "arthur_mini"))
        return {folder.facts.name: _difference(folder) for folder in folders}


def _folder(path: Path, into: Path) -> EngineFolder:
    if (path / "image.onnx").is_file():  # torch had to write it
        return open_folder(path)
    name = path.name.replace("_", "-")
    return export_engine(local_materials(path, name=name), into=into / path.name)


def _difference(folder: EngineFolder) -> float:
    import torch

    pixels = drawn(folder.facts.side, count=_PICTURES)
    full = open_runner(folder, "fp32", threads=1).run(pixels)
    target = Target("torch", "cpu", batch_max=3)
    for half, limit in (("fp16", _HALF), ("bf16", 8 * _HALF)):
        assert distances(open_runner(folder, half, threads=1, target=target).run(pixels), full).max() < limit
    with torch.inference_mode():
        traced = exported(folder, "fp32", device="cpu", batch_max=16).module()(torch.from_numpy(pixels)).numpy()
    assert abs(traced - full).max() < 1e-5
    return float(abs(open_runner(folder, "fp32", threads=1, target=target).run(pixels) - full).max())
