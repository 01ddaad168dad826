"""What `/api/v1` answers about engines and their calibration, as the API page describes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, JsonValue


class EngineOut(BaseModel):
    """An engine that is known here. One that is not ready has to be pulled."""

    name: str
    licence: str
    side: Annotated[int, Field(description="Edge of the square it looks at, pixels")]
    dim: int
    reads_text: bool
    ready: bool
    source: Annotated[str, Field(description="Repository of its weights, or empty")]
    in_use: bool


class EnginesOut(BaseModel):
    """Engines by name."""

    engines: list[EngineOut]


class HeldOutOut(BaseModel):
    """How well probabilities came true, as shares of photos that were not fitted."""

    error: Annotated[float, Field(description="Expected calibration error")]
    false_accepts: Annotated[float, Field(description="Of photos of unknown works: called a match")]
    matched: Annotated[float, Field(description="Of photos of known works: rightly called a match")]
    first: Annotated[float, Field(description="Of photos of known works: the right entry comes first")]
    known: int
    unknown: int


class CurveOut(BaseModel):
    """Predicted against observed, by bin."""

    predicted: list[float]
    observed: list[float]
    counts: list[float]


class CalibrationOut(BaseModel):
    """What makes probabilities of scores. `provenance` tells how it was made."""

    for_catalogue: bool
    max_false_accept: Annotated[float, Field(description="Accepted probability that a match is wrong")]
    held_out: HeldOutOut | None
    reliability: CurveOut | None
    provenance: dict[str, JsonValue]
