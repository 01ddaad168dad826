"""The catalogue and what is asked of it, in numbers. polars loads for half a second: import this where it is used."""

from __future__ import annotations

from arthur.analytics.answered import Answered, read_answers
from arthur.analytics.growth import ArtistAnalytics, Growth, artist_analytics
from arthur.analytics.tables import FileFormat, written

__all__ = [
    "Answered",
    "ArtistAnalytics",
    "FileFormat",
    "Growth",
    "artist_analytics",
    "read_answers",
    "written",
]
