"""`arthur backup` and `arthur restore`: everything that cannot be derived again, in one checked place."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from arthur.cli.options import Data, Json
from arthur.cli.output import answer, progress_bar
from arthur.cli.session import log_to_stderr

if TYPE_CHECKING:
    from arthur.backup.manifest import Manifest

_MEGABYTE = 1_000_000

Where = Annotated[str, typer.Argument(help="A folder, or a URL such as s3://bucket/prefix.", metavar="PLACE")]


def backup(
    place: Where,
    *,
    data: Data = None,
    replace: Annotated[bool, typer.Option("--replace", help="Give up a backup of another catalogue.")] = False,
    with_index: Annotated[bool, typer.Option("--with-index", help="Take the files of the indices along.")] = False,
    json: Json = False,
) -> None:
    """Back the catalogue and the pictures of its views up, while servers run. Run again it writes what is new."""
    from arthur.backup.backing import Holding, back_up
    from arthur.backup.indices import index_folders
    from arthur.backup.place import open_place
    from arthur.blobs import open_blobs
    from arthur.catalog.opening import open_database, sqlite_file
    from arthur.config import load_settings
    from arthur.errors import ConfigError

    settings = load_settings(data=data)
    log_to_stderr(settings)
    file = sqlite_file(settings.catalog_url)
    if file is not None and not file.exists():
        raise ConfigError(f"there is no catalogue {file}; name its folder with --data")
    with closing(open_database(settings.catalog_url)) as database:
        indices = index_folders(settings.index_url, settings.local_url) if with_index else {}
        holding = Holding(database, open_blobs(settings.blobs_url), settings.data.resolve(), indices)
        done = back_up(holding, open_place(place, made=True), progress_bar, replace=replace)
    document = _document(done.manifest) | {"written": done.written, "written_bytes": done.written_bytes}
    answer(document, f"{_line(done.manifest)}; {_megabytes(done.written_bytes)} were new", json=json)


def restore(
    place: Where,
    *,
    data: Data = None,
    check: Annotated[bool, typer.Option("--check", help="Only read all of the backup and compare it.")] = False,
    only_index: Annotated[bool, typer.Option("--only-index", help="Only write the files of the indices.")] = False,
    json: Json = False,
) -> None:
    """Restore a backup into an empty data folder, once every byte of it was compared with what was written."""
    from arthur.backup.indices import index_folders, restore_indices
    from arthur.backup.place import open_place
    from arthur.backup.restoring import Target
    from arthur.backup.restoring import check as check_backup
    from arthur.backup.restoring import restore as restore_backup
    from arthur.config import load_settings

    settings = load_settings(data=data)
    log_to_stderr(settings)
    opened = open_place(place)
    if only_index:
        files = restore_indices(opened, index_folders(settings.index_url, settings.local_url), progress_bar)
        answer({"files": files}, f"{files} files of indices", json=json)
        return
    if check:
        manifest = check_backup(opened, progress_bar)
    else:
        target = Target(settings.data.resolve(), settings.catalog_url, settings.blobs_url)
        manifest = restore_backup(opened, target, progress_bar)
    answer(_document(manifest), f"{'sound' if check else 'restored'}: {_line(manifest)}", json=json)


def _document(manifest: Manifest) -> dict[str, object]:
    return {
        "backup_id": manifest.backup_id,
        "created_at": manifest.created_at,
        "sequence": manifest.sequence,
        "rows": manifest.rows,
        "catalog_bytes": sum(piece.size for piece in manifest.catalog),
        "pictures": manifest.blobs,
        "picture_bytes": manifest.blob_bytes,
        "index_files": len(manifest.indices),
    }


def _line(manifest: Manifest) -> str:
    catalog = _megabytes(sum(piece.size for piece in manifest.catalog))
    pictures = f"{manifest.blobs} pictures in {_megabytes(manifest.blob_bytes)}"
    return f"{manifest.rows['views']} views up to sequence {manifest.sequence} in {catalog}, {pictures}"


def _megabytes(count: int) -> str:
    return f"{count / _MEGABYTE:.1f} MB"
