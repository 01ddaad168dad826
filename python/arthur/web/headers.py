"""Limits on what stands before a body, and the headers that keep browsers from doing more than they are told."""

from __future__ import annotations

from arthur.web.http import HeadersTooLarge, Request, Response, TargetTooLong

MAX_TARGET = 32 * 2**10
"""Longest path with query, characters: three ids of 512 characters, each at most 12 bytes when escaped, fit."""
MAX_HEADERS = 32 * 2**10
"""Longest headers together, characters."""

NOT_MODIFIED = 304

_SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


def check_head(request: Request) -> None:
    """Refuse a path, a query or headers beyond their limits.

    Raises:
        TargetTooLong, HeadersTooLarge: they are.
    """
    query = sum(len(name) + sum(map(len, values)) for name, values in request.query.items())
    if len(request.path) + query > MAX_TARGET:
        raise TargetTooLong(f"the path and the query are longer than {MAX_TARGET} characters")
    if sum(len(name) + len(value) for name, value in request.headers.items()) > MAX_HEADERS:
        raise HeadersTooLarge(f"the headers are longer than {MAX_HEADERS} characters")


def secured(request: Request, response: Response) -> Response:
    """Return the answer with the headers it lacks; what a key was needed for is not for shared caches."""
    # what a 304 says replaces the headers of the answer that the browser has kept
    safe = {} if response.status == NOT_MODIFIED else _SAFE
    missing = {name: value for name, value in safe.items() if name not in response.headers}
    if request.caller.key_id:
        missing["cache-control"] = ", ".join(["private", *filter(None, [response.headers.get("cache-control")])])
    return response.having(missing)
