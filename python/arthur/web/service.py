"""What handlers work with: the opened parts of Arthur, and what belongs to the web alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field

from arthur.blobs import Blobs
from arthur.catalog import Catalog
from arthur.config import Settings
from arthur.recognizer import Recognizer
from arthur.reports import NoReports, Reports
from arthur.tracing import NoTracing, Tracing
from arthur.web.metrics import Metrics
from arthur.web.progress import Rebuild
from arthur.web.recording import Recorder
from arthur.web.turns import Turns


@dataclass(frozen=True, slots=True)
class Service:
    """Everything a handler may use. Callable from any thread.

    Attributes:
        fetch: returns the bytes behind a URL; raises FetchError, BadRequest or ImageTooLarge.
        embedders: tells of each embedding service by address "ok", or why it is not asked.
        turns: to be held while a picture is decoded and embedded for a request.
        fan_out: bounded threads on which the pictures of one batch are worked on side by side.
    """

    settings: Settings
    recognizer: Recognizer
    catalog: Catalog
    blobs: Blobs
    fetch: Callable[[str], bytes]
    fan_out: Executor
    metrics: Metrics
    rebuild: Rebuild
    recorder: Recorder
    version: str
    turns: Turns
    embedders: Callable[[], Mapping[str, str]] = dict
    tracing: Tracing = field(default_factory=NoTracing)
    reports: Reports = field(default_factory=NoReports)
