"""Covers of a series share their banner and differ in all else."""

import numpy as np

from bench.artphoto.covers import cover, design


def test_a_cover_is_rgb_and_higher_than_wide() -> None:
    picture = cover(1, 2, size=200)
    assert (picture.dtype, picture.ndim, picture.shape[0]) == (np.uint8, 3, 200)
    assert picture.shape[1] < 200


def test_the_same_seeds_give_the_same_cover() -> None:
    assert np.array_equal(cover(3, 4, size=128), cover(3, 4, size=128))


def test_covers_of_one_series_share_only_their_banner() -> None:
    top, bottom = (int(share * 200) for share in design(3).banner)
    differs = np.abs(cover(3, 1, size=200).astype(int) - cover(3, 2, size=200)).mean(axis=(1, 2))
    assert differs[top + 1 : bottom - 1].mean() < 1
    assert differs.mean() > 20


def test_each_series_has_adesign_of_its_own() -> None:
    assert not np.array_equal(design(3).colours, design(4).colours)
