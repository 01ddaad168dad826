"""Backs up and restores, killed before every step. Started by test_backup_kill.py.

usage: backup_killer.py (backup|restore) DATA PLACE TARGET; TARGET has a {turn}. Writes how many steps were killed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from arthur.backup.backing import Holding, back_up
from arthur.backup.manifest import Manifest, Piece
from arthur.backup.place import Place, open_place
from arthur.backup.restoring import Target, restore
from arthur.blobs import open_blobs
from arthur.blobs.object_store import open_object_store
from arthur.catalog.opening import open_database

MOST_STEPS = 200


class Countdown:
    """Kills this process before a step of that number."""

    def __init__(self, left: int) -> None:
        self._left = left

    def __call__(self, *_: object) -> None:
        self._left -= 1
        if self._left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def stage(self, _name: str) -> Iterator[Callable[[int, int], None]]:
        self()
        yield self


class SteppedPlace(Place):
    """A place whose every writing is a step."""

    def __init__(self, url: str, step: Countdown) -> None:
        super().__init__(open_object_store(url), folder=False)
        self._step = step

    def put(self, piece: Piece, data: bytes) -> None:
        self._step()
        super().put(piece, data)

    def write_manifest(self, manifest: Manifest) -> None:
        self._step()
        super().write_manifest(manifest)

    def remove(self, hashes: Iterator[bytes]) -> None:
        self._step()
        super().remove(hashes)


def backed_up(data: Path, place: str, step: Countdown) -> None:
    holding = Holding(open_database(f"sqlite:///{data}/catalog.db"), open_blobs(f"file://{data}/blobs"), data)
    back_up(holding, SteppedPlace(f"file://{place}", step), step.stage)


def restored(place: str, target: Path, step: Countdown) -> None:
    restore(open_place(place), Target(target, f"sqlite:///{target}/catalog.db", f"file://{target}/blobs"), step.stage)


def main(action: str, data: str, place: str, target: str) -> None:
    """Do it in a process of its own, killed one step later each time, until one ends."""
    for turn in range(MOST_STEPS):
        child = os.fork()
        if child == 0:
            if action == "backup":
                backed_up(Path(data), place, Countdown(turn))
            else:
                restored(place, Path(target.format(turn=turn)), Countdown(turn))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{turn}\n")
        sys.stdout.flush()
        sys.stdin.readline()
        if not os.WIFSIGNALED(status):
            sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main(*sys.argv[1:])
