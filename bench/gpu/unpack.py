"""Puts together what `carry` cut into pieces: `python3 bench/gpu/unpack.py PIECES INTO`; needs nothing but Python."""

from __future__ import annotations

import lzma
import shutil
import sys
import tarfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path


def expanded(piece: Path) -> bytes:
    """Return what a piece holds."""
    return lzma.decompress(piece.read_bytes())


def unpack(pieces: Path, into: Path) -> None:
    """Unpack every folder of which all pieces are there; says which one is not."""
    into.mkdir(parents=True, exist_ok=True)
    for line in (pieces / "contents").read_text(encoding="utf-8").split():
        name, _, count = line.rpartition(".")
        found = sorted(pieces.glob(f"{name}.*.xz"))
        if len(found) != int(count) or not found:
            print(f"{name}: {len(found)} of {count} pieces are here, so it is left out", flush=True)
            continue
        if (into / name).is_dir():
            continue
        archive = into / f"{name}.tar"
        with ProcessPoolExecutor() as pool, archive.open("wb") as out:
            for content in pool.map(expanded, found):
                out.write(content)
        with tarfile.open(archive) as whole:
            whole.extractall(into / f".{name}", filter="tar")
        shutil.move(into / f".{name}", into / name)
        archive.unlink()
        print(f"{name}: unpacked", flush=True)


if __name__ == "__main__":
    unpack(Path(sys.argv[1]), Path(sys.argv[2]))
