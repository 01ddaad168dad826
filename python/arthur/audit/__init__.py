"""The audit log: who changed what, as JSON lines that are only ever appended.

Files rather than a table of the catalog: whoever may write to the catalog cannot rewrite them, they survive its loss
and a restored backup, a write costs no second transaction, and tools that ship logs read them as they are.

Files are named by day, and by part where a day needs several; processes append to the same file without talking to
one another, since the kernel keeps appended lines whole. A line is in the page cache when `write` returns: it
survives the death of the process, not the loss of power.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from arthur.errors import StoreError
from arthur.types import JsonValue

__all__ = ["AuditLog", "read_audit"]

_PART_BYTES = 64 * 2**20
_PATTERN = "????-??-??.*.jsonl"


class AuditLog:
    """Appends records. Callable from any thread; other processes may append to the same folder."""

    def __init__(
        self,
        folder: Path,
        *,
        keep_days: int = 0,
        part_bytes: int = _PART_BYTES,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Append to files in `folder`, made if missing; those older than `keep_days` are removed, unless it is 0."""
        self._folder = folder
        self._keep_days = keep_days
        self._part_bytes = part_bytes
        self._clock_ns = clock_ns
        self._lock = threading.Lock()
        self._file: int | None = None
        self._day = ""

    def write(self, record: Mapping[str, JsonValue]) -> None:
        """Append a record, with the time before its members.

        Raises:
            StoreError: it could not be written whole.
        """
        now = datetime.fromtimestamp(self._clock_ns() / 1e9, UTC)
        line = orjson.dumps({"at": now.isoformat(timespec="milliseconds"), **record}) + b"\n"
        try:
            with self._lock:
                file = self._current(now)
                whole = b"\n" + line if _torn(file) else line
                if os.write(file, whole) != len(whole):
                    raise StoreError("the audit log cannot be written: no space is left")
        except OSError as error:
            raise StoreError(f"the audit log cannot be written: {error.strerror}") from error

    def close(self) -> None:
        """Close the file. Closing twice is allowed; writing opens it again."""
        with self._lock:
            self._let_go()

    def _current(self, now: datetime) -> int:
        """Return today's file with room in it."""
        day = now.date().isoformat()
        if self._file is not None and day == self._day and os.fstat(self._file).st_size < self._part_bytes:
            return self._file
        self._let_go()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._remove_before(now - timedelta(days=self._keep_days))
        part = 0
        while (path := self._folder / f"{day}.{part:04}.jsonl").exists() and path.stat().st_size >= self._part_bytes:
            part += 1
        self._file, self._day = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600), day
        return self._file

    def _remove_before(self, end: datetime) -> None:
        for path in self._folder.glob(_PATTERN) if self._keep_days else ():
            if path.name[:10] < end.date().isoformat():
                path.unlink(missing_ok=True)

    def _let_go(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def read_audit(folder: Path) -> Iterator[dict[str, JsonValue]]:
    """Give the records of a folder, oldest file first; a line that was torn by a full disk is left out.

    Raises:
        StoreError: a file cannot be read.
    """
    try:
        for path in sorted(folder.glob(_PATTERN)):
            with path.open("rb") as lines:
                for line in lines:
                    record = _record(line)
                    if record is not None:
                        yield record
    except OSError as error:
        raise StoreError(f"the audit log cannot be read: {error.strerror}") from error


def _record(line: bytes) -> dict[str, JsonValue] | None:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return record if isinstance(record, dict) else None


def _torn(file: int) -> bool:
    """Whether the last line was written in part, so that the next must begin a line of its own."""
    size = os.fstat(file).st_size
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"
