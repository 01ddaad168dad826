"""Metadata of views as JSON text, within bounds."""

from __future__ import annotations

import math

import orjson

from arthur.errors import BadRequest
from arthur.types import JsonValue, Metadata

__all__ = ["MAX_BYTES", "MAX_DEPTH", "decode_metadata", "encode_metadata"]

MAX_BYTES = 64 * 2**10
"""Longest encoded metadata."""
MAX_DEPTH = 32
"""Deepest nesting of lists and objects."""


def encode_metadata(metadata: Metadata) -> str:
    """Return the JSON text of `metadata`, in time and memory bounded by MAX_BYTES.

    Raises:
        BadRequest: it is not JSON, nested deeper than MAX_DEPTH, longer than MAX_BYTES, or holds an integer
            beyond 64 bits, NaN, an infinity or a lone surrogate.
    """
    _check(dict(metadata))
    try:
        encoded = orjson.dumps(dict(metadata))
    except TypeError as error:
        raise BadRequest(f"metadata cannot be kept: {error}") from error
    if len(encoded) > MAX_BYTES:
        raise BadRequest(f"metadata is longer than {MAX_BYTES} bytes")
    return encoded.decode()


def decode_metadata(text: str) -> dict[str, JsonValue]:
    """Return the metadata that `encode_metadata` wrote."""
    decoded: dict[str, JsonValue] = orjson.loads(text)
    return decoded


def _check(metadata: object) -> None:
    """Walk the values without recursion and stop as soon as they cannot fit."""
    budget = MAX_BYTES
    ahead: list[tuple[object, int]] = [(metadata, 1)]
    while ahead:
        value, depth = ahead.pop()
        budget -= len(value) if isinstance(value, str) else 1
        if budget < 0:
            raise BadRequest(f"metadata is longer than {MAX_BYTES} bytes")
        if isinstance(value, dict | list):
            if depth > MAX_DEPTH:
                raise BadRequest(f"metadata is nested deeper than {MAX_DEPTH}")
            if len(value) > budget:
                raise BadRequest(f"metadata is longer than {MAX_BYTES} bytes")
            ahead.extend((child, depth + 1) for child in _children(value))
        else:
            _check_scalar(value)


def _children(value: dict[object, object] | list[object]) -> list[object]:
    if isinstance(value, list):
        return value
    if not all(isinstance(key, str) for key in value):
        raise BadRequest("metadata has a name that is not text")
    return [*value, *value.values()]


def _check_scalar(value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise BadRequest("metadata holds a number that is not finite")
    if not (value is None or isinstance(value, str | int | float)):
        raise BadRequest(f"metadata holds a {type(value).__name__}, which is not JSON")
