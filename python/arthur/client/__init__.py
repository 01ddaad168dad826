"""A client of Arthur's HTTP API, sync and async, for programs that run beside a server or far from it.

    from arthur.client import Client

    with Client("http://127.0.0.1:9000") as arthur:
        arthur.put(("vangogh", "starry_night", "main"), "night.jpg", metadata={"title": "The Starry Night"})
        answer = arthur.match("photo.jpg", k=3)
        print(answer.decision, answer.best)

It needs httpx and orjson, and Pillow where pictures are to be made smaller; nothing of the server is imported.
"""

from __future__ import annotations

from arthur.client.analytics import (
    Analytics,
    ArtistAnalytics,
    ConfusableWorks,
    Day,
    Found,
    FoundWork,
    Growth,
    NearArtist,
    Quality,
)
from arthur.client.answers import (
    Artist,
    CatalogSize,
    Entry,
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
    "ArtistAnalytics",
    "AsyncClient",
    "BadAnswer",
    "BadRequest",
    "CatalogSize",
    "Client",
    "ClientError",
    "Conflict",
    "ConfusableWorks",
    "Day",
    "DeadlineExceeded",
    "EngineError",
    "Entry",
    "FetchError",
    "Forbidden",
    "Found",
    "FoundWork",
    "Growth",
    "Hit",
    "ImageTooLarge",
    "Ingredient",
    "InvalidImage",
    "Likeness",
    "Match",
    "MatchParameters",
    "Name",
    "Narrowing",
    "NearArtist",
    "NotFound",
    "Outcome",
    "Overloaded",
    "Picture",
    "Problem",
    "Progress",
    "Quality",
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
