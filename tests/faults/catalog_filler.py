"""A process that fills a catalogue on a disk that is soon full. Started by test_catalog_disk.py.

usage: catalog_filler.py URL; writes the key of each put that returned, then the error.
"""

from __future__ import annotations

import resource
import sys

import numpy as np

from arthur.catalog import open_catalog
from arthur.errors import ArthurError
from arthur.types import NewView, ViewId

MAX_FILE_BYTES = 2**20


def main(url: str) -> None:
    """Put views until no file can grow further."""
    catalog = open_catalog(url)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))
    vector = np.eye(8, dtype=np.float32)[0]
    try:
        for i in range(10_000):
            view = NewView(ViewId("a", "e", str(i)), vector, "f", "h", "", "jpeg", 1, 1, 1, {"x": "y" * 20_000})
            sys.stdout.write(f"{catalog.put([view])[0].stored.key}\n")
    except ArthurError as error:
        sys.stdout.write(f"{type(error).__name__}: {error}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
