"""Which release this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    """Return the version of the installed package, or "0" in a checkout that was not installed."""
    try:
        return version("arthur-imgreco")
    except PackageNotFoundError:
        return "0"
