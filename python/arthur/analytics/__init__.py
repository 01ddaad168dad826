"""The catalogue and what is asked of it, in numbers. polars loads for half a second: import this where it is used."""

from __future__ import annotations

from arthur.analytics.answered import Answered, read_answers
from arthur.analytics.company import ConfusableWorks, NearArtist, confusable_works, nearest_artists
from arthur.analytics.growth import ArtistAnalytics, Growth, artist_analytics, sampled_views
from arthur.analytics.quality import Quality, quality_of
from arthur.analytics.tables import FileFormat, written

__all__ = [
    "Answered",
    "ArtistAnalytics",
    "ConfusableWorks",
    "FileFormat",
    "Growth",
    "NearArtist",
    "Quality",
    "artist_analytics",
    "confusable_works",
    "nearest_artists",
    "quality_of",
    "read_answers",
    "sampled_views",
    "written",
]
