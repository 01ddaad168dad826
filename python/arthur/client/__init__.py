"""A client of Arthur's HTTP API, sync and async, for programs that run beside a server or far from it.

    from arthur.client import Client

    with Client("http://127.0.0.1:9000") as arthur:
        arthur.put(("vangogh", "starry_night", "main"), "night.jpg", metadata={"title": "The Starry Night"})
        answer = arthur.match("photo.jpg", k=3)
        print(answer.decision, answer.best)

It needs httpx and orjson, and Pillow where pictures are to be made smaller; nothing of the server is imported.
"""

from __future__ import annotations

from arthur.client.answers import (
    Analytics,
    Artist,
    CatalogSize,
    Day,
    Entry,
    FoundWork,
    Hit,
    Likeness,
    Match,
    Progress,
    Recognition,
    SearchAnswer,
    Similar,
    Status,
    View,
)
from arthur.client.asynchronous import AsyncClient
from arthur.client.batch import Outcome
from arthur.client.errors import (
    ApiError,
    BadAnswer,
    BadRequest,
    ClientError,
    Conflict,
    DeadlineExceeded,
    EngineError,
    FetchError,
    Forbidden,
    ImageTooLarge,
    InvalidImage,
    NotFound,
    Overloaded,
    Problem,
    StoreError,
    TimedOut,
    Unauthorized,
    Unreachable,
    UnsupportedImage,
)
from arthur.client.parameters import Ingredient, MatchParameters, Name, Narrowing, Retry
from arthur.client.pictures import Picture
from arthur.client.synchronous import Client

__all__ = [
    "Analytics",
    "ApiError",
    "Artist",
    "AsyncClient",
    "BadAnswer",
    "BadRequest",
    "CatalogSize",
    "Client",
    "ClientError",
    "Conflict",
    "Day",
    "DeadlineExceeded",
    "EngineError",
    "Entry",
    "FetchError",
    "Forbidden",
    "FoundWork",
    "Hit",
    "ImageTooLarge",
    "Ingredient",
    "InvalidImage",
    "Likeness",
    "Match",
    "MatchParameters",
    "Name",
    "Narrowing",
    "NotFound",
    "Outcome",
    "Overloaded",
    "Picture",
    "Problem",
    "Progress",
    "Recognition",
    "Retry",
    "SearchAnswer",
    "Similar",
    "Status",
    "StoreError",
    "TimedOut",
    "Unauthorized",
    "Unreachable",
    "UnsupportedImage",
    "View",
]
