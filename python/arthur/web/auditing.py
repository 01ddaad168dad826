"""What the audit log says about a write: one record before anything is changed, one when its outcome is known.

A write whose first record cannot be written is not begun. When only the second one fails, the write has happened and
is answered; the server's log then has its outcome.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from arthur.access import without_secrets
from arthur.audit import AuditLog
from arthur.errors import StoreError
from arthur.types import JsonValue
from arthur.web.http import Request, Response, detail_of, status_of
from arthur.web.routing import Route

log = structlog.get_logger(__name__)

AUDITED = ("write", "admin")
_MOST_NAMES = 100
_MOST_CHARACTERS = 4096


@dataclass(frozen=True, slots=True)
class Ledger:
    """Writes requests into the audit log. Callable from any thread."""

    audit: AuditLog

    def run(self, route: Route, request: Request, work: Callable[[], Response]) -> Response:
        """Do the work of a write between its two records.

        Raises:
            StoreError: the first record could not be written; nothing was done.
        """
        write = uuid.uuid4().hex
        self.audit.write({"event": "begin", "write": write, **_asked(route, request)})
        try:
            response = work()
        except Exception as error:
            self._end(write, {"status": int(status_of(error)), "error": without_secrets(detail_of(error))})
            raise
        names: list[JsonValue] = list(response.touched[:_MOST_NAMES])
        self._end(write, {"status": response.status, "views": names, "count": len(response.touched)})
        return response

    def _end(self, write: str, outcome: dict[str, JsonValue]) -> None:
        try:
            self.audit.write({"event": "end", "write": write, **outcome})
        except StoreError as error:
            log.error("audit_failed", write=write, outcome=outcome, error=str(error))  # noqa: TRY400  # one line says it


def _asked(route: Route, request: Request) -> dict[str, JsonValue]:
    caller = request.caller
    query = "&".join(f"{name}={value}" for name, values in request.query.items() for value in values)
    return {
        "key": caller.key_id,
        "key_name": caller.key_name,
        "client": caller.client,
        "request_id": request.request_id,
        "method": request.method,
        "route": route.path,
        "path": without_secrets(request.path)[:_MOST_CHARACTERS],
        "query": without_secrets(query)[:_MOST_CHARACTERS],
        "bytes": len(request.body),
    }
