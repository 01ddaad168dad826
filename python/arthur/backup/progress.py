"""How backing up and restoring tell how far they are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

__all__ = ["Advance", "Progress"]

Advance: TypeAlias = Callable[[int, int], None]
"""Hears (done, total)."""

Progress: TypeAlias = Callable[[str], AbstractContextManager[Advance]]
"""Begins a stage of that name."""
