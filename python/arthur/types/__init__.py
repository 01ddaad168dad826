"""The frozen values that cross module borders, and the array types they are made of."""

from __future__ import annotations

from arthur.types.catalogue import (
    Changes,
    Counts,
    FeatureChanges,
    Likeness,
    LikenessKind,
    LocalFeatures,
    NewView,
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

__all__ = [
    "Changes",
    "Counts",
    "DecisionKind",
    "FeatureChanges",
    "Filter",
    "Fit",
    "Hit",
    "Ingredient",
    "JsonValue",
    "Keys",
    "Likeness",
    "LikenessKind",
    "LocalFeatures",
    "LocalQuery",
    "Match",
    "Metadata",
    "Neighbors",
    "NewView",
    "Pixels",
    "Put",
    "Quad",
    "Query",
    "Question",
    "Recognition",
    "Runtime",
    "SearchAnswer",
    "StoredLikeness",
    "StoredView",
    "Vectors",
    "VerifyMode",
    "ViewId",
    "WantedRuntime",
    "check_id",
]
