"""Photos made smaller: what is kept of them, and what is left as it is."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from arthur.client import Client
from arthur.client.pictures import Source, source_of
from arthur.client.shrinking import shrink
from arthur.errors import ConfigError
from tests.client.conftest import Step

ORIENTATION = 0x0112
ANSWER = {
    "decision": "match", "probability": 1.0, "reasons": [], "engine": "", "catalog_seq": 1, "degraded": False,
    "skipped": [], "timings_ms": {}, "request_id": "",
    "matches": [{"artist_id": "a", "entry_id": "e", "view_id": "v", "vector_id": "", "score": 1, "probability": 1,
                 "inliers": 9, "coverage": 1, "quad": [[0, 0], [100, 0], [100, 50], [0, 50]], "thumbnail": "",
                 "metadata": {}, "decision": "match", "frame": 0}],
}  # fmt: skip


def photo(width: int, height: int, *, kind: str = "JPEG", mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((width, height), 60).convert(mode).save(out, kind, **options)
    return out.getvalue()


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[0x010F] = "a camera"
    return exif


def opened(source: Source) -> Image.Image:
    with source.open() as file:
        image = Image.open(io.BytesIO(file.read()))
    image.load()
    return image


def test_a_big_photo_becomes_as_small_as_asked() -> None:
    small = shrink(source_of(photo(800, 400)), 200)
    assert (opened(small.source).size, small.scale) == ((200, 100), (4.0, 4.0))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_kept_and_nothing_else_of_exif(orientation: int) -> None:
    small = opened(shrink(source_of(photo(800, 400, exif=turned(orientation))), 200).source)
    assert dict(small.getexif()) == {ORIENTATION: orientation}
    assert small.size == (200, 100)


def test_the_colour_profile_is_kept() -> None:
    small = opened(shrink(source_of(photo(800, 400, icc_profile=b"a profile")), 200).source)
    assert small.info["icc_profile"] == b"a profile"


@pytest.mark.parametrize(
    "data",
    [
        photo(200, 100),
        photo(800, 400, kind="PNG", mode="RGBA"),
        photo(800, 400, mode="CMYK"),
        photo(800, 400)[:2000],
        b"no picture",
        b"",
    ],
    ids=["small", "transparent", "cmyk", "truncated", "not one", "empty"],
)
def test_what_cannot_be_shrunk_well_is_left_as_it_is(data: bytes) -> None:
    source = source_of(data)
    assert shrink(source, 200).source is source


def test_a_file_is_shrunk_from_where_it_stands(tmp_path: Path) -> None:
    file = io.BytesIO(b"before" + photo(800, 400))
    file.seek(6)
    assert opened(shrink(source_of(file), 200).source).size == (200, 100)
    assert not file.closed


def test_without_pillow_the_message_says_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ConfigError, match="pip install pillow"):
        shrink(source_of(b""), 200)


@pytest.mark.parametrize(("orientation", "corner"), [(1, (400.0, 400.0)), (6, (800.0, 200.0))])
def test_quads_come_back_in_pixels_of_the_given_photo(scripted: Any, orientation: int, corner: Any) -> None:
    data = photo(801 if orientation == 6 else 800, 1600 if orientation == 1 else 1604, exif=turned(orientation))
    answer = {**ANSWER, "matches": [{**ANSWER["matches"][0], "quad": [[100, 50]] * 4}]}  # type: ignore[dict-item, index]
    with Client(scripted.plays(Step(body=orjson.dumps(answer)))) as client:
        match = client.match(data, resize=200).matches[0]
    width, height = Image.open(io.BytesIO(scripted.seen[0][3])).size
    across, down = Image.open(io.BytesIO(data)).width / width, Image.open(io.BytesIO(data)).height / height
    sideways = orientation == 6
    assert match.quad == ((100 * (down if sideways else across), 50 * (across if sideways else down)),) * 4


@settings(max_examples=20, deadline=None)
@given(width=st.integers(1, 400), height=st.integers(1, 400), side=st.integers(1, 300))
def test_the_longer_side_is_never_above_the_limit(width: int, height: int, side: int) -> None:
    out = io.BytesIO()
    Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(out, "PNG")
    small = shrink(source_of(out.getvalue()), side)
    size = opened(small.source).size
    assert max(size) <= max(side, 1)
    assert (size[0] * small.scale[0], size[1] * small.scale[1]) == pytest.approx((width, height))
