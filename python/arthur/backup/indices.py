"""Files of indices in a backup: a further replica of the same catalogue begins with them instead of making its own.

They are derived, and each index checks every one of them when it is opened: one that does not fit is passed over and
filled from the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

from arthur.backup.manifest import IndexFile, Piece
from arthur.backup.place import Deposit, Place
from arthur.backup.progress import Progress
from arthur.errors import Conflict, StoreError

__all__ = ["index_folders", "keep_indices", "pieces_of", "restore_indices"]

_PIECE = 8 * 2**20
_GENERATIONS = "manifest-*.json"
_SCHEMES = {"index": "usearch:", "local": "inverted:"}
# A generation may be replaced, and its files removed, while it is read.
_TRIES = 5


def index_folders(index_url: str, local_url: str) -> dict[str, Path]:
    """Return the folders of those indices that keep files, by the names they have in a backup."""
    urls = {"index": index_url, "local": local_url}
    return {
        name: Path(urls[name].removeprefix(scheme).partition("?")[0])
        for name, scheme in _SCHEMES.items()
        if urls[name].startswith(scheme)
    }


def keep_indices(folders: Mapping[str, Path], deposit: Deposit) -> tuple[IndexFile, ...]:
    """Make the newest generation of each index part of a backup; one without any is left out.

    Raises:
        StoreError: a file cannot be read, or the place cannot be written to.
    """
    kept: list[IndexFile] = []
    for name, root in folders.items():
        for folder in sorted({path.parent for path in root.rglob(_GENERATIONS)}):
            below = "/".join((name, *folder.relative_to(root).parts))
            kept += _generation(folder, below, deposit)
    return tuple(kept)


def restore_indices(place: Place, folders: Mapping[str, Path], progress: Progress) -> int:
    """Write the files of indices that a backup holds; return how many. What was killed is to be run again.

    Raises:
        Conflict: the backup has none, or there is an index already. Nothing was changed.
        StoreError: a piece is missing or damaged, or a file cannot be written.
    """
    files = [file for file in place.manifest().indices if file.path.partition("/")[0] in folders]
    if not files:
        raise Conflict("the backup holds no files of these indices: make it with --with-index")
    if any(True for root in folders.values() for _ in root.rglob(_GENERATIONS)):
        raise Conflict("there is an index already: name an empty folder with --data")
    with progress("indices") as advance:
        for done, file in enumerate(files, 1):
            name, _, rest = file.path.partition("/")
            _write(place, file, folders[name] / rest)
            advance(done, len(files))
    return len(files)


def pieces_of(file: Path, deposit: Deposit) -> Iterator[Piece]:
    """Make a file, which nobody changes, part of a backup. Raises FileNotFoundError."""
    with file.open("rb") as content:
        while data := content.read(_PIECE):
            yield deposit.put(data)


def _generation(folder: Path, below: str, deposit: Deposit) -> list[IndexFile]:
    """Keep the newest generation of one folder; its manifest is the last file."""
    for _ in range(_TRIES):
        newest = max(folder.glob(_GENERATIONS), default=None)
        if newest is None:
            return []
        try:
            return [IndexFile(f"{below}/{name}", tuple(pieces_of(folder / name, deposit))) for name in _files(newest)]
        except FileNotFoundError:
            continue
        except (ValueError, LookupError, TypeError):
            return []
    raise StoreError(f"the index in {folder.name} changes too fast to be backed up: try again")


def _files(newest: Path) -> list[str]:
    """Return the names of a generation's files. The first line of its manifest is the BLAKE3 of the rest, JSON."""
    document = orjson.loads(newest.read_bytes().partition(b"\n")[2])
    segments = [f"segment-{part['id']:016}.{kind}" for part in document["segments"] for kind in part["files"]]
    return [*segments, f"removed-{document['generation']:016}.bin", newest.name]


def _write(place: Place, file: IndexFile, path: Path) -> None:
    """Write one file, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as content:
            for piece in file.pieces:
                content.write(place.read(piece))
        part.replace(path)
    except OSError as error:
        raise StoreError(f"{path} could not be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
