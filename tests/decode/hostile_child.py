"""Decodes the files of a folder within a limit on memory and prints, as JSON, what became of each.

A process of its own, so that a crash is seen as one and the peak of memory is the decoder's.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from arthur.decode import ImageDecoder
from arthur.errors import InvalidImage

ADDRESS_SPACE = 4 << 30


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    decode = ImageDecoder()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes = []
    for path in sorted(Path(sys.argv[1]).iterdir()):
        data, started = path.read_bytes(), time.process_time()
        try:
            pixels = decode(data, 64, preview_side=100).pixels
            outcome = "whole" if pixels.shape == (64, 64, 3) else "odd"
        except InvalidImage as refused:
            outcome = f"{type(refused).__name__}: {refused}"
        outcomes.append({"name": path.name, "outcome": outcome, "seconds": time.process_time() - started})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    json.dump({"outcomes": outcomes, "peak_mib": peak / 1024}, sys.stdout)


if __name__ == "__main__":
    main()
