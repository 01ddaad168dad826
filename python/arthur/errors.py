"""Every error Arthur raises on purpose; anything else that escapes is a bug.

Each class carries the one word (`code`) by which clients, logs and metrics know it. HTTP statuses live in
`web/http.py` and exit codes in `cli`, so this module depends on nothing.
"""

from __future__ import annotations

from typing import ClassVar


class ArthurError(Exception):
    """Base of every deliberate error. `str(error)` is one sentence that is safe to show to a client."""

    code: ClassVar[str] = "error"


class ConfigError(ArthurError):
    """A setting, a path or an installed part is unusable; the message says how to mend it."""

    code = "config"


class BadRequest(ArthurError):
    """The request is not of the documented form."""

    code = "bad_request"


class InvalidImage(ArthurError):
    """The bytes are not a picture that can be decoded whole."""

    code = "invalid_image"


class ImageTooLarge(InvalidImage):
    """The picture exceeds a limit on bytes, pixels, decompressed bytes or frames."""

    code = "image_too_large"


class UnsupportedImage(InvalidImage):
    """No decoder that is installed reads this format."""

    code = "unsupported_image"


class Unauthorized(ArthurError):
    """No valid API key came with the request."""

    code = "unauthorized"


class Forbidden(ArthurError):
    """The API key does not permit this."""

    code = "forbidden"


class NotFound(ArthurError):
    """The named artist, entry, view or route does not exist."""

    code = "not_found"


class Conflict(ArthurError):
    """The request contradicts the present state."""

    code = "conflict"


class EngineReplaced(Conflict):
    """The catalogue is embedded by another engine since; whoever has that one may try again."""

    code = "engine_replaced"


class Overloaded(ArthurError):
    """Every place in a bounded queue is taken; try again after `retry_after_s` seconds."""

    code = "overloaded"

    def __init__(self, message: str = "the server is at capacity", *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(Overloaded):
    """The caller asked more often than it may; try again after `retry_after_s` seconds."""

    code = "rate_limited"


class FetchError(ArthurError):
    """A picture could not be fetched from its URL."""

    code = "fetch_failed"


class HostUnavailable(FetchError):
    """The picture's server did not answer, or said that it cannot now; later it may."""


class EngineError(ArthurError):
    """An engine failed to load or to run."""

    code = "engine_failed"


class EngineUnavailable(EngineError):
    """No embedding service that runs the engine answers."""

    code = "engine_unavailable"


class UnusableEngine(EngineError):
    """A file of an engine is missing, was changed, or is not what it has to be."""

    code = "engine_unusable"


class EngineMismatch(EngineError):
    """Vectors of one engine met an index, file or catalogue of another."""

    code = "engine_mismatch"


class StoreError(ArthurError):
    """The catalog, index, cache or blob store did not answer or could not write."""

    code = "store_failed"


class DeadlineExceeded(ArthurError):
    """The caller's deadline passed before an answer was ready."""

    code = "deadline_exceeded"
