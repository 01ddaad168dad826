"""Data folders of Arthur with a catalogue in them, kept between runs: large catalogues are embedded once."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from arthur.config import load_settings
from arthur.encode.folder import find_folder, packaged_engines
from bench.accuracy.exam import Work


@dataclass(frozen=True)
class Snapshots:
    """A folder of data folders. Each belongs to one set of works and to one state of Arthur's code and engine.

    Attributes:
        folder: where they are kept; may be emptied between runs.
        engine: of the Arthur that fills them.
        least: works below which embedding anew is not worth the disk.
    """

    folder: Path
    engine: str
    least: int = 2_000

    def load(self, works: Iterable[Work], into: Path) -> bool:
        """Copy the data folder that holds exactly these works, if it was kept; return whether it was."""
        kept = self._path(works)
        if not kept.is_dir():
            return False
        shutil.rmtree(into)
        shutil.copytree(kept, into)
        return True

    def keep(self, works: list[Work], data: Path) -> None:
        """Keep a closed data folder, which holds these works."""
        kept = self._path(works)
        if len(works) >= self.least and not kept.exists():
            partial = kept.with_name(f"{kept.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(data, partial)
            partial.rename(kept)

    def _path(self, works: Iterable[Work]) -> Path:
        digest = hashlib.sha256(self._state)
        for line in sorted(f"{work.name} {work.path.stat().st_size}" for work in works):
            digest.update(line.encode() + b"\n")
        return self.folder / f"arthur-{digest.hexdigest()[:16]}"

    @cached_property
    def _state(self) -> bytes:
        """Hash of everything that decides what Arthur stores: settings, sources, extension, engines."""
        digest = hashlib.sha256(load_settings(engine=self.engine).model_dump_json().encode())
        # The engines' folder is a link, which rglob does not follow; vocabularies lie in it as well.
        for root in (Path(str(files("arthur"))), packaged_engines().resolve(), find_folder(self.engine).path):
            for path in sorted(path for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"):
                digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
        return digest.digest()
