"""The one place where errors of the database driver become errors of Arthur."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from arthur.errors import BadRequest, StoreError

__all__ = ["store_errors"]

_SENTENCES = {
    sqlite3.SQLITE_FULL: "the catalogue cannot grow: the disk is full",
    sqlite3.SQLITE_BUSY: "the catalogue is locked by another process for too long",
    sqlite3.SQLITE_LOCKED: "the catalogue is locked by another process for too long",
    sqlite3.SQLITE_CORRUPT: "the catalogue's database file is damaged: restore it from a backup",
    sqlite3.SQLITE_NOTADB: "the catalogue's database file is not a SQLite database: restore it from a backup",
    sqlite3.SQLITE_READONLY: "the catalogue cannot be written: its file or folder is read-only",
    sqlite3.SQLITE_PERM: "the catalogue's database file may not be opened by this user",
    sqlite3.SQLITE_CANTOPEN: "the catalogue's database file cannot be opened",
    sqlite3.SQLITE_IOERR: "the catalogue could not be read or written: the disk reports an error or is full",
    sqlite3.SQLITE_TOOBIG: "the catalogue cannot keep a value as long as this",
    sqlite3.SQLITE_NOMEM: "the catalogue's database is out of memory",
}


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn what the driver raises inside the block into StoreError; BadRequest for text that is no Unicode."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise BadRequest("a text holds characters that cannot be stored") from error
    except PoolTimeout as error:
        raise StoreError("every connection to the catalogue is in use") from error
    except DBAPIError as error:
        raise StoreError(_sentence(error.orig)) from error
    except sqlite3.Error as error:
        raise StoreError(_sentence(error)) from error
    except SQLAlchemyError as error:
        raise StoreError("the catalogue's database did not answer as expected") from error


def _sentence(error: BaseException | None) -> str:
    # The low byte of SQLite's extended code is its primary code.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return _SENTENCES.get(code, "the catalogue's database failed")
