"""Opening Arthur for one command, with its log on standard error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # these take a second to import, which `--help` need not
    from arthur.assemble import Arthur
    from arthur.config import Settings


@contextmanager
def session(**given: object) -> Iterator[Arthur]:
    """Yield Arthur as the settings and the command line describe it, and close it at the end.

    Raises:
        ArthurError: a setting is wrong or a part does not open.
    """
    from arthur.assemble import open_arthur
    from arthur.config import load_settings

    settings = load_settings(**given)
    log_to_stderr(settings)
    with open_arthur(settings) as arthur:
        yield arthur


def log_to_stderr(settings: Settings) -> None:
    """Send the log of this process to standard error, one line an event."""
    import structlog

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.log_level.upper()]),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
