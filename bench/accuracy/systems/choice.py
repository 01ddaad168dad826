"""The systems that can be compared, by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.accuracy.systems import System
from bench.accuracy.systems.arthur import ArthurSystem, CalibratedSystem, Installation
from bench.accuracy.systems.peer import TwoStages
from bench.accuracy.systems.phash import PerceptualHash
from bench.accuracy.systems.scan import FullScan
from bench.accuracy.systems.snapshots import Snapshots

SYSTEMS = {
    "arthur": "Arthur as installed",
    "arthur-calibrated": "Arthur after `arthur calibrate` on the enrolled catalogue",
    "arthur-global": "Arthur with verify=never: global embedding alone",
    "two-stage": "global embedding, then ORB + RANSAC on its ten best",
    "phash": "perceptual hash of 64 bits",
    "full-scan": "SIFT + FLANN + homography against every work",
}
"""Name and description of each."""

SLOW = "full-scan"
"""The one whose cost grows so fast that it gets a budget."""


@contextmanager
def opened(names: Sequence[str], *, engine: str, peer_engine: str, cache: Path) -> Iterator[dict[str, System]]:
    """Open systems and close them at the end; all ways to ask Arthur share one installation.

    Args:
        names: keys of SYSTEMS.
        engine: of Arthur: a name, or a folder with an `engine.toml`.
        peer_engine: of the two-stage peer, likewise.
        cache: folder in which Arthur's large catalogues are kept between runs.

    Raises:
        ValueError: a name is unknown.
    """
    if unknown := set(names) - set(SYSTEMS):
        raise ValueError(f"unknown systems: {', '.join(sorted(unknown))}; there are {', '.join(SYSTEMS)}")
    installation = Installation(Snapshots(cache, engine)) if any(name.startswith("arthur") for name in names) else None
    with ExitStack() as stack:
        systems = {name: _open(name, installation, peer_engine) for name in names}
        for system in systems.values():
            stack.callback(system.close)
        yield systems


def _open(name: str, installation: Installation | None, peer_engine: str) -> System:
    if installation is not None and name == "arthur-calibrated":
        return CalibratedSystem(installation)
    if installation is not None and name.startswith("arthur"):
        return ArthurSystem(installation, "never" if name == "arthur-global" else "auto")
    if name == "two-stage":
        return TwoStages(peer_engine)
    return PerceptualHash() if name == "phash" else FullScan()
