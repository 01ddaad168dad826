"""A process that writes to a catalogue and says what was answered. Started by the tests of this folder.

usage: catalog_writer.py URL NAME COUNT; writes one line `key seed` after each put returned.
"""

from __future__ import annotations

import itertools
import sys

import numpy as np
from numpy.typing import NDArray

from arthur.catalog import open_catalog
from arthur.types import NewView, ViewId

DIM = 512


def unit(seed: int) -> NDArray[np.float32]:
    """Return the vector of that seed."""
    vector = np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)
    return vector / np.linalg.norm(vector)


def new(artist_id: str, seed: int) -> NewView:
    """Return a view; every tenth replaces an earlier one."""
    view = ViewId(artist_id, f"entry {seed % 7}", f"view {seed - 5 if seed % 10 == 9 else seed}")
    return NewView(view, unit(seed), "engine", str(seed), "", "jpeg", 640, 480, 99_000, {"seed": seed})


def say(line: str) -> None:
    """Write a line that the reader has when this returns."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(url: str, artist_id: str, count: str) -> None:
    """Put views until `count` are there, or for ever when it is 0."""
    catalog = open_catalog(url)
    say("open")
    for seed in range(int(count)) if int(count) else itertools.count():
        (put,) = catalog.put([new(artist_id, seed)])
        say(f"{put.stored.key} {seed}")
    catalog.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
