"""The packed form keeps what it is given, to its precision, and nothing that is damaged is taken for features."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arthur.errors import StoreError
from arthur.verify.packed import MOST, Packed, pack, unpack


def features(count: int, seed: int, *, width: int = 640, height: int = 480) -> Packed:
    random = np.random.default_rng(seed)
    return Packed(
        width=width,
        height=height,
        points=(random.random((count, 2)) * (width, height)).astype(np.float32),
        scales=random.uniform(1.5, 200, count).astype(np.float32),
        angles=random.uniform(0, 6.28, count).astype(np.float32),
        words=random.integers(0, 65_536, count).astype(np.uint16),
        signatures=random.integers(0, 2**64, count, dtype=np.uint64),
        codes=random.integers(0, 256, (count, 32)).astype(np.uint8),
    )


@given(count=st.integers(0, MOST), seed=st.integers(0, 99), width=st.integers(1, 65_535), height=st.integers(1, 65_535))
def test_what_is_packed_comes_back(count: int, seed: int, width: int, height: int) -> None:
    given_ = features(count, seed, width=width, height=height)
    data = pack(given_)
    back = unpack(data)
    assert len(data) == 16 + 48 * count <= 12_000
    assert (back.width, back.height) == (width, height)
    for name in ("words", "signatures", "codes"):
        assert (getattr(back, name) == getattr(given_, name)).all()
    assert (np.abs(back.points - given_.points) <= np.array([width, height]) / 65_535 + 1e-2).all()
    assert (np.abs(np.log2(back.scales / given_.scales)) < 0.04).all()
    assert (np.cos(back.angles - given_.angles) > np.cos(0.02)).all()


def test_packing_twice_changes_nothing() -> None:
    data = pack(features(200, 5))
    assert pack(unpack(data)) == data


@given(data=st.binary(max_size=300))
def test_bytes_of_any_kind_are_features_or_an_error_of_ours(data: bytes) -> None:
    with pytest.raises(StoreError):
        unpack(data)


@given(at=st.integers(0, 15), value=st.integers(0, 255))
def test_a_damaged_header_is_features_or_an_error_of_ours(at: int, value: int) -> None:
    damaged = bytearray(pack(features(9, 1)))
    damaged[at] = value
    with suppress(StoreError):
        assert len(unpack(bytes(damaged))) == 9


@pytest.mark.parametrize("cut", [1, 15, 16, 47, 100])
def test_cut_short_is_an_error(cut: int) -> None:
    with pytest.raises(StoreError):
        unpack(pack(features(9, 1))[:-cut])


def test_more_than_fits_is_an_error() -> None:
    with pytest.raises(StoreError):
        unpack(pack(features(MOST + 1, 1)))
