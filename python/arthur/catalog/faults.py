"""The one place where errors of the database driver become errors of Arthur."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from arthur.errors import BadRequest, StoreError

__all__ = ["store_error", "store_errors"]

_LOCKED = "the catalogue is locked by another process for too long"
_FULL = "the catalogue cannot grow: the disk is full"
_NO_MEMORY = "the catalogue's database is out of memory"

_SQLITE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_CORRUPT: "the catalogue's database file is damaged: restore it from a backup",
    sqlite3.SQLITE_NOTADB: "the catalogue's database file is not a SQLite database: restore it from a backup",
    sqlite3.SQLITE_READONLY: "the catalogue cannot be written: its file or folder is read-only",
    sqlite3.SQLITE_PERM: "the catalogue's database file may not be opened by this user",
    sqlite3.SQLITE_CANTOPEN: "the catalogue's database file cannot be opened",
    sqlite3.SQLITE_IOERR: "the catalogue could not be read or written: the disk reports an error or is full",
    sqlite3.SQLITE_TOOBIG: "the catalogue cannot keep a value as long as this",
    sqlite3.SQLITE_NOMEM: _NO_MEMORY,
}

# By SQLSTATE, or by its first two characters where the class says enough. Without any the server was not reached.
_POSTGRES = {
    "": "the catalogue's database server does not answer",
    "08": "the catalogue's database server does not answer",
    "57P01": "the catalogue's database server is shutting down",
    "57P02": "the catalogue's database server has crashed and is starting again",
    "57P03": "the catalogue's database server is starting",
    "57014": "the catalogue's database took too long",
    "55P03": _LOCKED,
    "40": "the catalogue's database gave way to another writer: try again",
    "53100": _FULL,
    "53200": _NO_MEMORY,
    "53300": "the catalogue's database server has no connection left",
    "25006": "the catalogue cannot be written: its database is read-only",
    "42501": "the catalogue's database does not permit this to its user",
    "58": "the catalogue could not be read or written: the disk reports an error",
    "XX001": "the catalogue's database is damaged: restore it from a backup",
    "XX002": "an index of the catalogue's database is damaged: REINDEX it",
}


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn what the driver raises inside the block into StoreError; BadRequest for text that cannot be stored."""
    try:
        yield
    except (UnicodeEncodeError, DataError) as error:
        raise BadRequest("a text holds characters that cannot be stored") from error
    except PoolTimeout as error:
        raise StoreError("every connection to the catalogue is in use") from error
    except DBAPIError as error:
        raise store_error(error.orig) from error
    except sqlite3.Error as error:
        raise store_error(error) from error
    except SQLAlchemyError as error:
        raise StoreError("the catalogue's database did not answer as expected") from error


def store_error(error: BaseException | None) -> StoreError:
    """Return what a driver's error says, in a sentence that is safe to show."""
    failed = "the catalogue's database failed"
    if isinstance(error, sqlite3.Error):
        # The low byte of SQLite's extended code is its primary code.
        return StoreError(_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, failed))
    # Asked by name: the driver of PostgreSQL need not be installed.
    code = getattr(error, "sqlstate", failed) or ""
    return StoreError(_POSTGRES.get(code) or _POSTGRES.get(code[:2], failed))
