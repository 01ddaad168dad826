"""Which batch sizes a GPU runs: a fixed set, each recorded once; a batch in between is filled up to the next."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

_STEPS = (2, 3)
"""Sizes are these times powers of two: at most a third of a batch is filling."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Batch sizes that a plan is made for: `best` is the one it is made fastest for."""

    least: int
    best: int
    most: int


_SMALL = 4
"""Up to here a batch is a lone request and a neighbour or two, where latency counts and not throughput."""


def rungs(most: int) -> tuple[int, ...]:
    """Return the batch sizes that are run, ascending, where `most` is the largest."""
    sizes = {1, most} | {step << power for step in _STEPS for power in range(most.bit_length())}
    return tuple(sorted(size for size in sizes if size <= most))


def rung(sizes: tuple[int, ...], count: int) -> int:
    """Return the smallest size that holds `count` pictures; the largest holds them all."""
    return sizes[bisect_left(sizes, count)]


def profiles(most: int) -> tuple[Profile, ...]:
    """Return what a plan is made for: lone requests apart from full batches, where there are both."""
    if most <= _SMALL:
        return (Profile(1, 1, most),)
    return Profile(1, 1, _SMALL), Profile(_SMALL + 1, most, most)


def profile_of(found: tuple[Profile, ...], size: int) -> int:
    """Return the place of the profile for a batch of that size."""
    return next(place for place, profile in enumerate(found) if size <= profile.most)
