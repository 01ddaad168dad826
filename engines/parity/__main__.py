"""Prints the largest difference between a graph and its original for every architecture: `make parity`.

Then the same between ONNX Runtime and torch, which runs these graphs itself.

Needs what `requirements/train.txt` names besides Arthur's own packages. With `--golden FOLDER` it writes the small
models that the test suite compares with instead.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable
from pathlib import Path

import transformers

from engines.parity import clips, dinov2s, dinov3s, mobileclips, open_clips, siglips, timms
from engines.parity.cases import Case, differences, write_golden
from engines.parity.torch_runtime import torch_differences

LIMIT = 1e-5
FAMILIES = (clips, open_clips, mobileclips, siglips, dinov2s, dinov3s, timms)


def compare(cases: list[Case], *, seed: int) -> float:
    """Print one line for each case and return the largest difference."""
    worst = 0.0
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            found = differences(case, Path(folder), seed=seed)
        worst = max(worst, *found.values())
        towers = "  ".join(f"{tower} {difference:.2e}" for tower, difference in found.items())
        print(f"{case.name:28} {towers}", flush=True)
    print(f"{'largest':28} {worst:.2e}  (limit {LIMIT:g})")
    return worst


def _wanted(cases: Iterable[Case], part: str) -> list[Case]:
    return [case for case in cases if part in case.name]


def main() -> int:
    """Run the comparison and return the exit status: 1 when a graph differs by more than 1e-5."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--real", action="store_true", help="also compare models of real size (minutes, 6 GB)")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    parser.add_argument("--golden", type=Path, metavar="FOLDER", help="write the tests' golden models and stop")
    given = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    if given.golden:
        for family in FAMILIES:
            for case in _wanted(family.GOLDEN, given.only):
                write_golden(case, given.golden / case.name, seed=given.seed)
        return 0
    cases = [case for family in FAMILIES for case in family.SMALL + (family.REAL if given.real else ())]
    worst = compare(_wanted(cases, given.only), seed=given.seed)
    for name, found in torch_differences().items():
        print(f"{name:28} torch {found:.2e}", flush=True)
        worst = max(worst, found)
    return int(worst > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
