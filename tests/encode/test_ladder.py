"""Claims about batch sizes: few, near enough to one another, and each in a profile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arthur.encode.ladder import profile_of, profiles, rung, rungs

MOST = st.integers(1, 1024)


def test_sizes_are_twos_and_threes_times_powers_of_two() -> None:
    assert rungs(48) == (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)


@given(MOST, st.data())
def test_at_most_a_third_of_a_batch_is_filling(most: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, most))
    size = rung(rungs(most), count)
    assert count <= size <= most
    assert size - count <= size / 3


@given(MOST)
def test_every_size_lies_in_its_profile(most: int) -> None:
    found = profiles(most)
    for size in rungs(most):
        profile = found[profile_of(found, size)]
        assert profile.least <= size <= profile.most
        assert profile.least <= profile.best <= profile.most


@pytest.mark.parametrize(("most", "count"), [(1, 1), (4, 1), (5, 2), (256, 2)])
def test_lone_requests_have_a_profile_of_their_own_where_batches_are_larger(most: int, count: int) -> None:
    found = profiles(most)
    assert (len(found), found[0].best, found[-1].most) == (count, 1, most)
