"""What a handler takes and gives, whichever server stands in front, and the one table from errors to statuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus

import orjson

from arthur.errors import (
    ArthurError,
    BadRequest,
    Conflict,
    DeadlineExceeded,
    EngineUnavailable,
    FetchError,
    Forbidden,
    ImageTooLarge,
    InvalidImage,
    NotFound,
    Overloaded,
    StoreError,
    Unauthorized,
)
from arthur.web.caller import Caller

JSON = "application/json"
PROBLEM = "application/problem+json"
INTERNAL = "internal error"


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read whole.

    Attributes:
        path: as sent, percent-encoded, without the query.
        params: parameters of the route's path, percent-decoded once.
        query: decoded values by decoded name, in the order sent.
        headers: by lower-case name; a repeated header is joined by ", ".
        peer: address of the other end of the connection, or "".
        request_id: the caller's X-Request-ID if it is sane, else a new one.
        received_at: `time.monotonic()` when the server handed the request over.
        caller: who sent it.
    """

    method: str
    path: str
    query: Mapping[str, tuple[str, ...]]
    headers: Mapping[str, str]
    body: bytes
    request_id: str
    peer: str = ""
    received_at: float = 0.0
    params: Mapping[str, str] = field(default_factory=dict)
    caller: Caller = field(default_factory=Caller)

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters, lower case; "" when there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whole.

    Attributes:
        headers: by lower-case name; never Content-Length.
        touched: names of what a write changed, for the audit log.
        problem: code of the error that it tells; "" for none.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    touched: tuple[str, ...] = ()
    problem: str = ""

    def having(self, headers: Mapping[str, str]) -> Response:
        """Return the same answer with further headers."""
        return replace(self, headers={**self.headers, **headers})

    def touching(self, *names: str) -> Response:
        """Return the same answer, naming what was changed."""
        return replace(self, touched=names)


class MethodNotAllowedError(ArthurError):
    """The path exists, but not for this method."""

    code = "method_not_allowed"


class TargetTooLong(BadRequest):
    """The path and the query are too long."""

    code = "target_too_long"


class HeadersTooLarge(BadRequest):
    """The headers are too long."""

    code = "headers_too_large"


class TooSlow(BadRequest):
    """The body hardly comes."""

    code = "too_slow"


class MalformedBody(BadRequest):
    """The body is not of its declared form. `where` and `kind` are what legacy clients are told of it."""

    def __init__(self, message: str, *, kind: str, where: tuple[str | int, ...] = ("body",)) -> None:
        super().__init__(message)
        self.kind = kind
        self.where = where


STATUSES: Mapping[type[ArthurError], HTTPStatus] = {
    BadRequest: HTTPStatus.BAD_REQUEST,
    Unauthorized: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    TargetTooLong: HTTPStatus.REQUEST_URI_TOO_LONG,
    TooSlow: HTTPStatus.REQUEST_TIMEOUT,
    HeadersTooLarge: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    MethodNotAllowedError: HTTPStatus.METHOD_NOT_ALLOWED,
    Conflict: HTTPStatus.CONFLICT,
    ImageTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    InvalidImage: HTTPStatus.UNPROCESSABLE_ENTITY,
    Overloaded: HTTPStatus.TOO_MANY_REQUESTS,
    FetchError: HTTPStatus.BAD_GATEWAY,
    EngineUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    StoreError: HTTPStatus.SERVICE_UNAVAILABLE,
    DeadlineExceeded: HTTPStatus.GATEWAY_TIMEOUT,
}
"""Status by class; a subclass that is not named has its nearest parent's, and what has none is 500."""


def json_response(payload: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return `payload` as JSON, with its keys in the order given."""
    return Response(status, orjson.dumps(payload), {"content-type": JSON, **(headers or {})})


def status_of(error: BaseException) -> HTTPStatus:
    """Return the status of an error by its nearest class in STATUSES; 500 for everything else."""
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def detail_of(error: BaseException) -> str:
    """Return what a client may be told: a deliberate error's own sentence, and nothing of any other."""
    return str(error) if isinstance(error, ArthurError) else INTERNAL


def code_of(error: BaseException) -> str:
    """Return the code of an error, "internal" for a bug."""
    return error.code if isinstance(error, ArthurError) else "internal"


def problem_of(error: BaseException, status: HTTPStatus | None = None) -> dict[str, str | int]:
    """Return an error as the members of an RFC 9457 problem, without the request id."""
    status = status or status_of(error)
    return {
        "type": f"/problems/{code_of(error)}",
        "title": status.phrase,
        "status": int(status),
        "detail": detail_of(error),
    }


def error_headers(error: BaseException) -> dict[str, str]:
    """Return Retry-After for an overload, and how to authenticate where that is missing."""
    if isinstance(error, Unauthorized):
        return {"www-authenticate": 'Bearer realm="arthur"'}
    return {"retry-after": str(error.retry_after_s)} if isinstance(error, Overloaded) else {}


def problem(error: BaseException, request_id: str, status: HTTPStatus | None = None) -> Response:
    """Return the error as `/api/v1` answers it."""
    members = problem_of(error, status)
    body = orjson.dumps({**members, "request_id": request_id})
    headers = {"content-type": PROBLEM, **error_headers(error)}
    return Response(int(members["status"]), body, headers, problem=code_of(error))


def legacy_error(error: BaseException, status: HTTPStatus | None = None) -> Response:
    """Return the error as legacy routes answer it."""
    if isinstance(error, MalformedBody):
        entry = {"type": error.kind, "loc": list(error.where), "msg": str(error)}
        response = json_response({"detail": [entry]}, HTTPStatus.UNPROCESSABLE_ENTITY)
    else:
        response = json_response({"detail": detail_of(error)}, status or status_of(error), error_headers(error))
    return replace(response, problem=code_of(error))


def etagged(request: Request, tag: str, response: Response) -> Response:
    """Return `response` under an entity tag, or 304 when the caller has that version already."""
    quoted = f'"{tag}"'
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    headers = {"etag": quoted, "cache-control": "no-cache"}
    if quoted in known or "*" in known:
        return Response(HTTPStatus.NOT_MODIFIED, b"", headers)
    return response.having(headers)
