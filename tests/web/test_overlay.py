"""Claims about drawing what was found."""

import base64
import io

import numpy as np
from PIL import Image

from arthur.types import Match, Quad, Recognition, ViewId
from arthur.web.overlay import overlay

QUAD: Quad = ((100, 100), (500, 100), (500, 400), (100, 400))


def gray(width: int = 2048, height: int = 1536) -> bytes:
    encoded = io.BytesIO()
    Image.new("RGB", (width, height), (128, 128, 128)).save(encoded, "PNG")
    return encoded.getvalue()


def answer(*matches: Match) -> Recognition:
    return Recognition("match", 1.0, (), matches, "engine", 1, degraded=False, skipped=(), timings_ms={})


def found(**more: object) -> Match:
    fields = {"decision": "match", "quad": QUAD} | more
    return Match(ViewId("a", "e", "v"), 0.9, 0.99, {}, **fields)  # type: ignore[arg-type]  # as the test names them


def drawn(data: str | None) -> np.ndarray:
    assert data is not None
    head, _, encoded = data.partition(",")
    assert head == "data:image/jpeg;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded)))).astype(int)


def test_the_work_is_outlined_where_it_is() -> None:
    picture = drawn(overlay([gray()], answer(found())))
    assert picture.shape == (768, 1024, 3)
    inside, edge = picture[120, 150], picture[50, 150]
    assert np.abs(inside - 128).max() < 12
    assert edge[1] - edge[0] > 60


def test_the_frame_of_the_best_entry_is_drawn_on() -> None:
    picture = drawn(overlay([gray(64, 64), gray()], answer(found(frame=1), found(frame=0))))
    assert picture.shape == (768, 1024, 3)


def test_without_a_place_nothing_is_drawn() -> None:
    assert overlay([gray()], answer(found(quad=None))) is None
    assert overlay([gray()], answer(found(decision="no_match"))) is None
    assert overlay([gray()], answer()) is None
