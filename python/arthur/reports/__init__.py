"""Port of reports: bugs, told to whoever collects them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from arthur.errors import ConfigError

__all__ = ["NoReports", "Reports", "open_reports"]


class Reports(Protocol):
    """Tells of bugs. Every method may be called from any thread."""

    def tell(self, error: BaseException, facts: Mapping[str, str]) -> None:
        """Tell of an error that nobody expected: its type, where it was raised, and the facts.

        Neither its message nor any value of the program goes out: they might be of a picture, or of a person.
        """
        ...

    def close(self) -> None:
        """Send what was not sent yet, within seconds. Closing twice is allowed."""
        ...


class NoReports:
    """Tells nobody. See Reports."""

    def tell(self, error: BaseException, facts: Mapping[str, str]) -> None:
        """See Reports.tell."""

    def close(self) -> None:
        """See Reports.close."""


def open_reports(url: str) -> Reports:
    """Tell Sentry, or what speaks like it, at a DSN; "" tells nobody.

    Raises:
        ConfigError: it is no DSN, or the client of Sentry is not installed.
    """
    if not url:
        return NoReports()
    try:
        from arthur.reports.sentry import Sentry
    except ImportError as error:
        message = "reports to Sentry need a package that is not installed: pip install 'arthur-imgreco[sentry]'"
        raise ConfigError(message) from error
    return Sentry(url)
