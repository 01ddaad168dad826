"""A tiny engine that every part of the tests can load: one random matrix, small enough to make anew each time."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from arthur.encode.export.graph import Graph, pixels_input
from arthur.encode.folder import open_folder, sha256_of
from arthur.encode.golden import Golden, save_golden
from arthur.encode.onnx import OnnxEncoder

SIDE, DIM = 16, 8
FACTS = """
name = "{name}"
architecture = "matrix"
licence = "Apache-2.0"
side = 16
fit = "stretch"
dim = 8
mean = [0.5, 0.5, 0.5]
std = [0.25, 0.25, 0.25]
[image]
file = "image.onnx"
sha256 = "{sha256}"
"""


def tiny_graph(*, seed: int = 0) -> onnx.ModelProto:
    """Unit rows of a random projection of the pixels."""
    graph = Graph("tiny")
    values = graph.node("Cast", "pixels", to=onnx.TensorProto.FLOAT)
    matrix = np.random.default_rng(seed).standard_normal((SIDE * SIDE * 3, DIM), dtype=np.float32)
    vectors = graph.unit(graph.linear(graph.reshape(values, [0, SIDE * SIDE * 3]), matrix))
    return graph.model(pixels_input(SIDE), vectors, dim=DIM)


@pytest.fixture
def write_engine(tmp_path: Path) -> Callable[..., Path]:
    """Write an engine folder: `write_engine(name="tiny", graph=None, extra="")`, where `extra` is more TOML."""

    def write(name: str = "tiny", *, graph: onnx.ModelProto | None = None, extra: str = "") -> Path:
        folder = tmp_path / "engines" / name.replace("-", "_")
        folder.mkdir(parents=True, exist_ok=True)
        onnx.save(graph or tiny_graph(), folder / "image.onnx")
        sha256 = sha256_of(folder / "image.onnx")
        (folder / "engine.toml").write_text(FACTS.format(name=name, sha256=sha256) + extra)
        return folder

    return write


@pytest.fixture
def tiny_engine(write_engine: Callable[..., Path]) -> Path:
    """A sound engine folder with golden vectors."""
    folder = write_engine()
    pixels = np.random.default_rng(1).integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)
    encoder = OnnxEncoder(open_folder(folder), threads=1)
    save_golden(folder / "golden.npz", Golden(pixels, encoder.encode(pixels)))
    return write_engine(extra='[golden]\nfile = "golden.npz"\n')
