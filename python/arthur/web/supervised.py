"""A worker's end of the pipes to its supervisor.

The supervisor writes the settings as one line to standard input and then keeps that pipe open; its end is the
supervisor's death. On standard output the worker says `ready`, or why it could not start.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

import orjson

from arthur.config import unpacked_settings
from arthur.errors import ArthurError, ConfigError, EngineMismatch, UnusableEngine
from arthur.web.logs import configure_logs


class Supervised:
    """The pipes of this process, which belong to it alone from here on."""

    def __init__(self) -> None:
        """Take standard output for words to the supervisor, and read the settings."""
        self._told = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no word to the supervisor
        self.settings = unpacked_settings(sys.stdin.readline())
        configure_logs(self.settings.log_level)

    def tell_ready(self) -> None:
        """Say that requests can come."""
        self._told.write(b'{"ready": true}\n')

    def tell_failed(self, error: ArthurError) -> int:
        """Say why this process cannot start, and return its exit status."""
        bad_setting = isinstance(error, ConfigError | EngineMismatch | UnusableEngine)
        self._told.write(orjson.dumps({"failed": str(error), "config": bad_setting}) + b"\n")
        return 2 if bad_setting else 1

    def when_orphaned(self, then: Callable[[], object]) -> None:
        """Call `then` in a thread when the supervisor dies."""

        def watch() -> None:
            while sys.stdin.read(1):
                continue
            then()

        threading.Thread(target=watch, daemon=True).start()
