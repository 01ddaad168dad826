"""Export a checkpoint: the graph in float32 and int8, golden vectors, and ``engine.toml``.

``python -m engines.arthur_mini.export RUN/checkpoint.pt --pictures DIR`` writes into this folder.
The int8 graph is kept only if it agrees with the float32 one on the pictures and is faster.
"""

import argparse
import hashlib
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime import quantization

from bench.artphoto.paintings import painting, work
from engines.arthur_mini.graph import build
from engines.arthur_mini.model import MEAN, STD, Architecture
from engines.arthur_mini.pool import read_picture, squash
from engines.arthur_mini.runtime import Graph
from engines.arthur_mini.state import load, write_curve

AGREEMENT = 0.99
"""Lowest cosine between int8 and float32 vectors of the same picture."""

_FLOAT32, _INT8, _GOLDEN = "arthur-mini.onnx", "arthur-mini.int8.onnx", "golden.npz"

_GOLDEN_WORKS = 4
_GOLDEN_SEED = 3

_HEADER = """\
name = "arthur-mini"
architecture = "arthur-mini"
licence = "Apache-2.0"
side = {side}
fit = "stretch"
dim = {dim}
mean = [{mean}]
std = [{std}]
"""


class _Calibration(quantization.CalibrationDataReader):  # type: ignore[misc]  # has no types
    """Feeds pictures to the quantiser, one batch at a time."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        # The quantiser stacks what it collects, so every batch has the same size.
        self._batches = iter(pixels[: len(pixels) // 16 * 16].reshape(-1, 16, *pixels.shape[1:]))

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"pixels": batch}


def quantise(source: Path, target: Path, pixels: NDArray[np.uint8]) -> None:
    """Write an int8 copy of a graph, its ranges measured on ``pixels`` (n, side, side, 3)."""
    quantization.quantize_static(
        source,
        target,
        _Calibration(pixels),
        quant_format=quantization.QuantFormat.QDQ,
        per_channel=True,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
        op_types_to_quantize=["Conv", "Add", "Relu"],
        calibrate_method=quantization.CalibrationMethod.Percentile,
        extra_options={"CalibPercentile": 99.995},
    )


def seconds(graph: Graph, pixels: NDArray[np.uint8]) -> float:
    """Return the median CPU time of encoding one square on one thread."""
    times = []
    for square in pixels:
        started = time.process_time()
        graph.encode(square[None])
        times.append(time.process_time() - started)
    return float(np.median(times))


def int8_is_better(float32: Path, int8: Path, pixels: NDArray[np.uint8]) -> bool:
    """Say, and print why, whether an int8 graph agrees with the float32 one and is faster."""
    exact, rough = Graph(float32), Graph(int8)
    cosines = (exact.encode(pixels) * rough.encode(pixels)).sum(1)
    before, after = seconds(exact, pixels[:64]), seconds(rough, pixels[:64])
    lowest, typical = cosines.min(), np.median(cosines)
    print(f"int8: cosine lowest {lowest:.4f}, median {typical:.4f}")
    print(f"milliseconds: float32 {1e3 * before:.2f}, int8 {1e3 * after:.2f}")
    return bool(lowest >= AGREEMENT and after < before)


def golden(graph: Graph, path: Path) -> None:
    """Write the pixels of a few procedural paintings and their vectors."""
    works = [painting(*work(8 * number, seed=_GOLDEN_SEED)) for number in range(_GOLDEN_WORKS)]
    pixels = np.stack([squash(picture, graph.side) for picture in works])
    np.savez_compressed(path, pixels=pixels, vectors=graph.encode(pixels))


def describe(folder: Path, architecture: Architecture, side: int) -> None:
    """Write ``engine.toml`` for the files in ``folder``."""
    text = _HEADER.format(
        side=side,
        dim=architecture.dim,
        mean=", ".join(map(str, MEAN)),
        std=", ".join(map(str, STD)),
    )
    for section, name in (("image", _FLOAT32), ("image.int8", _INT8)):
        if (folder / name).exists():
            digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
            text += f'\n[{section}]\nfile = "{name}"\nsha256 = "{digest}"\n'
    text += f'\n[golden]\nfile = "{_GOLDEN}"\ntolerance = 1e-3\n'
    (folder / "engine.toml").write_text(text)


def export(checkpoint: dict[str, Any], folder: Path, *, side: int, pictures: list[Path]) -> None:
    """Write everything an engine folder holds from a checkpoint of ``train``."""
    architecture = Architecture(**checkpoint["architecture"])
    weights = {name: value.numpy() for name, value in checkpoint["average"].items()}
    float32, int8 = folder / _FLOAT32, folder / _INT8
    onnx.save(build(weights, architecture, side), float32)
    pixels = np.stack([squash(read_picture(path), side) for path in pictures])
    int8.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        candidate = Path(scratch) / _INT8
        # Every other picture sets the ranges, the rest judges them.
        quantise(float32, candidate, pixels[::2])
        if int8_is_better(float32, candidate, pixels[1::2]):
            int8.write_bytes(candidate.read_bytes())
    golden(Graph(float32), folder / _GOLDEN)
    describe(folder, architecture, side)
    write_curve(checkpoint["curve"], folder / "curve.csv")


def main() -> None:
    """Export as the command line says."""
    parser = argparse.ArgumentParser(description="Export a checkpoint of arthur-mini.")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--pictures", type=Path, required=True, help="real pictures, for int8")
    parser.add_argument("--side", type=int, help="side of the pictures; as trained by default")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    checkpoint = load(options.checkpoint)
    side = options.side or checkpoint["plan"]["side"]
    pictures = sorted(options.pictures.iterdir())[::4]
    export(checkpoint, options.folder, side=side, pictures=pictures)


if __name__ == "__main__":
    main()
