"""The laws of the Encoder port, for every adapter."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest

from arthur.encode import Encoder, canary, open_encoder
from arthur.encode.batch import Batched
from arthur.encode.folder import open_folder
from arthur.encode.onnx import OnnxEncoder
from arthur.errors import EngineError
from tests.embedding_service import serving

ADAPTERS = {
    "onnx": lambda folder: OnnxEncoder(open_folder(folder), threads=1),
    "batched": lambda folder: Batched(OnnxEncoder(open_folder(folder), threads=1), batch_max=4),
    "waiting": lambda folder: Batched(OnnxEncoder(open_folder(folder), threads=1), batch_max=4, wait_ms=1),
    "opened": lambda folder: open_encoder("tiny", threads=1, folders=(folder.parent,)),
}


@contextmanager
def remote(folder: Path) -> Iterator[Encoder]:
    """Two embedding services with the engine, as one encoder."""
    with ExitStack() as opened:
        services = [opened.enter_context(serving(ADAPTERS["batched"](folder))) for _ in range(2)]
        for service in services:
            opened.callback(service.encoder.close)
        yield open_encoder(",".join(service.url for service in services))


@pytest.fixture(params=[*ADAPTERS, "remote"])
def encoder(request: pytest.FixtureRequest, tiny_engine: Path) -> Iterator[Encoder]:
    if request.param == "remote":
        with remote(tiny_engine) as opened:
            yield opened
            opened.close()
        return
    opened = ADAPTERS[request.param](tiny_engine)
    yield opened
    opened.close()


def squares(count: int, *, seed: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 16, 16, 3), dtype=np.uint8)


def test_spec_tells_the_form(encoder: Encoder) -> None:
    spec = encoder.spec
    assert (spec.name, spec.side, spec.fit, spec.dim, spec.variant) == ("tiny", 16, "stretch", 8, "fp32")
    assert spec.label == f"tiny@{spec.fingerprint[:12]}"


def test_vectors_are_unit_float32_rows(encoder: Encoder) -> None:
    vectors = encoder.encode(squares(3))
    assert vectors.dtype == np.float32
    assert vectors.shape == (3, 8)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_rows_come_in_order(encoder: Encoder) -> None:
    pixels = squares(4)
    np.testing.assert_allclose(encoder.encode(pixels)[::-1], encoder.encode(pixels[::-1]), atol=1e-5)


def test_a_row_of_a_batch_equals_the_row_alone(encoder: Encoder) -> None:
    pixels = squares(4)
    alone = np.concatenate([encoder.encode(pixels[row : row + 1]) for row in range(4)])
    np.testing.assert_allclose(encoder.encode(pixels), alone, atol=1e-3)


def test_more_pictures_than_a_batch_are_all_embedded(encoder: Encoder) -> None:
    pixels = squares(11)
    np.testing.assert_allclose(encoder.encode(pixels)[10:], encoder.encode(pixels[10:]), atol=1e-3)


def test_pixels_need_not_be_contiguous(encoder: Encoder) -> None:
    pixels = squares(2)[:, :, ::-1]
    np.testing.assert_allclose(encoder.encode(pixels), encoder.encode(pixels.copy()), atol=1e-5)


def test_threads_get_their_own_rows(encoder: Encoder) -> None:
    pixels = squares(40)
    expected = encoder.encode(pixels)
    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(lambda row: encoder.encode(pixels[row : row + 1])[0], range(40)))
    np.testing.assert_allclose(np.stack(rows), expected, atol=1e-3)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((0, 16, 16, 3), np.uint8),
        np.zeros((16, 16, 3), np.uint8),
        np.zeros((1, 17, 16, 3), np.uint8),
        np.zeros((1, 16, 16, 4), np.uint8),
        np.zeros((1, 16, 16, 3), np.float32),
    ],
    ids=["none", "no batch", "side", "channels", "dtype"],
)
def test_pixels_of_another_form_are_refused(encoder: Encoder, pixels: np.ndarray) -> None:
    with pytest.raises(EngineError, match=r"tiny takes uint8 \(n, 16, 16, 3\)"):
        encoder.encode(pixels)


def test_a_black_picture_that_has_no_direction_is_an_error(encoder: Encoder) -> None:
    with pytest.raises(EngineError, match="not finite"):
        encoder.encode(np.zeros((1, 16, 16, 3), np.uint8))


def test_canary_passes_on_a_sound_engine(encoder: Encoder) -> None:
    canary(encoder)


def test_closing_twice_is_allowed_and_ends_encoding(encoder: Encoder) -> None:
    encoder.close()
    encoder.close()
    with pytest.raises(EngineError, match="closed"):
        encoder.encode(squares(1))
