"""The local mode of Qdrant's client, which compares everything in Python and keeps it in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from qdrant_client import QdrantClient


class LocalMode:
    """A client that several indices and threads may share: one call at a time, and closing keeps what is there."""

    def __init__(self) -> None:
        self._client = QdrantClient(":memory:")
        self._lock = threading.Lock()

    def close(self) -> None:
        """Keep everything."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._client, name)

        def locked(*given: Any, **named: Any) -> Any:
            with self._lock:
                return call(*given, **named)

        return locked
