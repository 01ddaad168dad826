"""Lengths of time as people write them on the command line: 90d, 12h, 30m, 45s."""

from __future__ import annotations

import re

from arthur.errors import BadRequest

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"([0-9]{1,9})([smhd])")


def microseconds(text: str) -> int:
    """Read a length of time.

    Raises:
        BadRequest: it is none.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise BadRequest(f"{text!r} is not a length of time such as 90d, 12h, 30m or 45s")
    return int(found[1]) * _SECONDS[found[2]] * 10**6
