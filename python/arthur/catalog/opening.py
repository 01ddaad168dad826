"""From a URL to the database that it names."""

from __future__ import annotations

from pathlib import Path

from arthur.catalog.database import Database
from arthur.errors import ConfigError

__all__ = ["open_database"]


def open_database(url: str) -> Database:
    """Open the database at `url`, whose schema is not looked at. See open_catalog.

    Raises:
        ConfigError: the URL is not of a known form, or the driver is not installed.
    """
    scheme, separator, rest = url.partition("://")
    if scheme == "sqlite" and rest[:1] == "/" and rest[1:] and not rest.startswith("/:") and "?" not in rest:
        from arthur.catalog.sqlite import open_sqlite

        return open_sqlite(Path(rest[1:]))
    if scheme in ("postgresql", "postgres") and separator:
        try:
            from arthur.catalog.postgres import open_postgres
        except ImportError as error:
            message = "PostgreSQL needs a package that is not installed: pip install 'arthur-imgreco[postgres]'"
            raise ConfigError(message) from error
        return open_postgres(url)
    raise ConfigError("the catalogue URL must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
