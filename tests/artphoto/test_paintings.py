"""Paintings are a pure function of their three seeds."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from arthur.simulation.fields import generator
from bench.artphoto.canvas import Brief
from bench.artphoto.paintings import STYLES, WORKS_PER_ARTIST, Style, painting, work
from bench.artphoto.palettes import palette

_PRINT_HASH = """
import hashlib
from bench.artphoto.paintings import painting
print(hashlib.sha256(painting(3, 1, 4, size=128)).hexdigest())
"""


def test_a_painting_is_rgb_with_the_asked_long_side() -> None:
    picture = painting(1, 2, 3, size=200)
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    assert picture.shape[2] == 3
    assert max(picture.shape) == 200


def test_the_same_seeds_give_the_same_painting_in_another_process() -> None:
    here = hashlib.sha256(painting(3, 1, 4, size=128)).hexdigest()
    there = subprocess.run([sys.executable, "-c", _PRINT_HASH], check=True, capture_output=True, text=True)
    assert there.stdout.strip() == here


@pytest.mark.parametrize("seeds", [(4, 1, 4), (3, 2, 4), (3, 1, 5)])
def test_each_seed_changes_the_painting(seeds: tuple[int, int, int]) -> None:
    assert not np.array_equal(painting(*seeds, size=128), painting(3, 1, 4, size=128))


@pytest.mark.parametrize("artist", range(6))
def test_a_series_is_closer_than_another_composition(artist: int) -> None:
    first, again, other = (_thumbnail(artist, *seeds) for seeds in ((0, 0), (0, 1), (1, 0)))
    assert np.abs(first - again).mean() < np.abs(first - other).mean()


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.paint.__name__)
def test_every_style_fills_the_shape_it_is_given(style: Style) -> None:
    brief = Brief((96, 140), palette(generator(0)), *(generator(part) for part in (1, 2, 3)))
    picture = style.paint(brief)
    assert picture.shape == (96, 140, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 2


def test_there_are_at_least_fifteen_styles() -> None:
    assert len({style.paint for style in STYLES}) >= 15


def test_a_catalogue_has_artists_with_series() -> None:
    works = [work(number, seed=1) for number in range(40 * WORKS_PER_ARTIST)]
    assert len(set(works)) == len(works)
    assert len({artist for artist, _, _ in works}) == 40
    series = [composition for artist, composition, _ in works]
    assert 0.1 < np.mean([detail > 0 for _, _, detail in works]) < 0.4
    assert max(series) < WORKS_PER_ARTIST


def _thumbnail(artist: int, composition: int, detail: int) -> np.ndarray:
    picture = painting(artist, composition, detail, size=128)
    rows, columns = (np.linspace(0, length - 1, 24).astype(int) for length in picture.shape[:2])
    return picture[rows][:, columns].astype(np.float32)
