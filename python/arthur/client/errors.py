"""What the client raises. Each class is also the class of `arthur.errors` of that name, so one `except` fits both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import orjson

from arthur import errors


class ClientError(errors.ArthurError):
    """Base of everything the client raises but OSError for pictures that cannot be read."""


class Unreachable(ClientError):
    """No answer came: the server cannot be reached, or the connection ended before its answer."""

    code = "unreachable"


class BadAnswer(ClientError):
    """What came is not an answer of Arthur's."""

    code = "bad_answer"


class TimedOut(ClientError, errors.DeadlineExceeded):
    """`deadline_s` passed before an answer was there; whether the server has done the work is not known."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What the server said of an error (RFC 9457).

    Attributes:
        code: the last part of its type, or "" where something before the server answered.
        retry_after_s: when to come again, if it said so.
    """

    status: int
    title: str
    detail: str
    request_id: str
    code: str = ""
    retry_after_s: float | None = None


class ApiError(ClientError):
    """The server answered with an error. `str(error)` is its detail."""

    def __init__(self, problem: Problem) -> None:
        Exception.__init__(self, problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem.detail

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    @property
    def title(self) -> str:
        """The status in words."""
        return self.problem.title

    @property
    def detail(self) -> str:
        """One sentence that says what is wrong."""
        return self.problem.detail

    @property
    def request_id(self) -> str:
        """By which the server's log knows the request."""
        return self.problem.request_id


class BadRequest(ApiError, errors.BadRequest):
    """400: a parameter or the body is not of the documented form."""


class Unauthorized(ApiError, errors.Unauthorized):
    """401: no valid API key came with the request."""


class Forbidden(ApiError, errors.Forbidden):
    """403: the API key does not permit this."""


class NotFound(ApiError, errors.NotFound):
    """404: no such artist, entry, view or thumbnail."""


class Conflict(ApiError, errors.Conflict):
    """409: the request contradicts the present state."""


class InvalidImage(ApiError, errors.InvalidImage):
    """422: the bytes are no picture that can be read."""


class UnsupportedImage(InvalidImage, errors.UnsupportedImage):
    """422: no decoder of the server reads this format."""


class ImageTooLarge(InvalidImage, errors.ImageTooLarge):
    """413: beyond a limit on bytes or pixels."""


class Overloaded(ApiError, errors.Overloaded):
    """429: every place is taken, also after all tries."""

    def __init__(self, problem: Problem) -> None:
        ApiError.__init__(self, problem)
        self.retry_after_s = round(problem.retry_after_s or 1)


class EngineError(ApiError, errors.EngineError):
    """500: the engine failed."""


class FetchError(ApiError, errors.FetchError):
    """502: the picture could not be fetched from its URL."""


class StoreError(ApiError, errors.StoreError):
    """503: the catalogue or another store does not answer."""


class DeadlineExceeded(ApiError, errors.DeadlineExceeded):
    """504: the server saw the deadline pass."""


_BY_CODE: Mapping[str, type[ApiError]] = {
    kind.code: kind
    for kind in (
        BadRequest, Unauthorized, Forbidden, NotFound, Conflict, InvalidImage, UnsupportedImage, ImageTooLarge,
        Overloaded, EngineError, FetchError, StoreError, DeadlineExceeded,
    )
}  # fmt: skip
_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: ImageTooLarge,
    422: InvalidImage,
    429: Overloaded,
}


def error_of(status: int, body: bytes, *, request_id: str, retry_after_s: float | None) -> ApiError:
    """Return an answer that is no success as the error it tells of.

    An answer of something before the server (a proxy) has no code, and is known by its status alone.
    """
    members = _members(body)
    code = str(members.get("type", "")).rpartition("/problems/")[2]
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    problem = Problem(
        status=status,
        title=str(members.get("title", phrase)),
        detail=str(members.get("detail", f"the server answered {status} {phrase}")),
        request_id=str(members.get("request_id", request_id)),
        code=code,
        retry_after_s=retry_after_s,
    )
    return _BY_CODE.get(code, _BY_STATUS.get(status, ApiError))(problem)


def _members(body: bytes) -> Mapping[str, object]:
    try:
        members = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return members if isinstance(members, dict) else {}
