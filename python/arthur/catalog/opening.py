"""From a URL to the database that it names."""

from __future__ import annotations

from pathlib import Path

from arthur.catalog.database import Database
from arthur.errors import ConfigError

__all__ = ["open_database", "sqlite_file"]


def open_database(url: str) -> Database:
    """Open the database at `url`, whose schema is not looked at. See open_catalog.

    Raises:
        ConfigError: the URL is not of a known form, or the driver is not installed.
    """
    scheme, separator, _ = url.partition("://")
    file = sqlite_file(url)
    if file is not None:
        from arthur.catalog.sqlite import open_sqlite

        return open_sqlite(file)
    if scheme in ("postgresql", "postgres") and separator:
        try:
            from arthur.catalog.postgres import open_postgres
        except ImportError as error:
            message = "PostgreSQL needs a package that is not installed: pip install 'arthur-imgreco[postgres]'"
            raise ConfigError(message) from error
        return open_postgres(url)
    raise ConfigError("the catalogue URL must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/DATABASE")


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite catalogue; None for any other URL."""
    scheme, _, rest = url.partition("://")
    named = scheme == "sqlite" and rest[:1] == "/" and rest[1:] and not rest.startswith("/:") and "?" not in rest
    return Path(rest[1:]) if named else None
