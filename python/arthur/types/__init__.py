"""The frozen values that cross module borders, and the array types they are made of."""

from __future__ import annotations

from arthur.types.access import MAX_KEY_ARTISTS, SCOPES, ApiKey, Scope
from arthur.types.catalogue import (
    Changes,
    Counts,
    FeatureChanges,
    KnownEngine,
    Likeness,
    LikenessKind,
    LocalFeatures,
    NewView,
    Passport,
    Put,
    StoredLikeness,
    StoredView,
)
from arthur.types.names import (
    DecisionKind,
    Fit,
    JsonValue,
    Keys,
    Metadata,
    Pixels,
    Runtime,
    Vectors,
    VerifyMode,
    ViewId,
    WantedRuntime,
    check_id,
)
from arthur.types.questions import (
    Hit,
    Ingredient,
    Question,
    SearchAnswer,
)
from arthur.types.recognition import (
    Match,
    Quad,
    Query,
    Recognition,
)
from arthur.types.search import (
    Filter,
    LocalQuery,
    Neighbors,
)
from arthur.types.webhooks import EVENT_KINDS, EventKind, Happening, Notice, Webhook

__all__ = [
    "EVENT_KINDS",
    "MAX_KEY_ARTISTS",
    "SCOPES",
    "ApiKey",
    "Changes",
    "Counts",
    "DecisionKind",
    "EventKind",
    "FeatureChanges",
    "Filter",
    "Fit",
    "Happening",
    "Hit",
    "Ingredient",
    "JsonValue",
    "Keys",
    "KnownEngine",
    "Likeness",
    "LikenessKind",
    "LocalFeatures",
    "LocalQuery",
    "Match",
    "Metadata",
    "Neighbors",
    "NewView",
    "Notice",
    "Passport",
    "Pixels",
    "Put",
    "Quad",
    "Query",
    "Question",
    "Recognition",
    "Runtime",
    "Scope",
    "SearchAnswer",
    "StoredLikeness",
    "StoredView",
    "Vectors",
    "VerifyMode",
    "ViewId",
    "WantedRuntime",
    "Webhook",
    "check_id",
]
