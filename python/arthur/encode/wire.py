"""What an embedding service and its clients say to each other; docs/embedder.md tells it in prose."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, model_validator

from arthur.encode.spec import EngineSpec, Variant
from arthur.types import Fit, Passport, Vectors

PIXELS = "application/x-arthur-pixels"
"""A request body: `(n, side, side, 3)` uint8 RGB, row after row, nothing else."""
VECTORS = "application/x-arthur-vectors"
"""An answer: `(n, dim)` float32, little endian, unit rows in the order of the request."""

ENGINE = "arthur-engine"
"""Header with an engine's fingerprint: the one a request wants (any, if absent), the one that gave an answer."""
COUNT, SIDE, DIM = "arthur-count", "arthur-side", "arthur-dim"
"""Headers with pictures or vectors in a body, edge of a square in pixels, length of a vector."""
DEADLINE = "arthur-deadline-ms"
"""Header with the milliseconds for which the caller waits, from the moment the request arrives."""

EMBED_PATH, ENGINE_PATH, READY_PATH, ALIVE_PATH = "/v1/embed", "/v1/engine", "/readyz", "/healthz"

TEXTS_MAX = 64
"""Sentences in one request."""

_VECTOR_TYPE = np.dtype("<f4")


class Description(BaseModel):
    """What a service tells of itself.

    Attributes:
        protocol: of this module; another one is not understood.
        canary: the float32 vector that the fixed picture gave at load; base64 in JSON.
        text: whether sentences can be embedded.
        batch_max: pictures in one request at most.
        passport: of the vectors that the service gives.
    """

    model_config = ConfigDict(frozen=True)

    protocol: Literal[1] = 1
    name: str
    side: Annotated[int, Field(ge=1, le=8192)]
    fit: Fit
    dim: Annotated[int, Field(ge=1, le=65536)]
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    variant: Variant
    canary: Base64Bytes = b""
    text: bool = False
    batch_max: Annotated[int, Field(ge=1, le=4096)]
    passport: Passport | None = None

    @property
    def spec(self) -> EngineSpec:
        """The engine behind the service."""
        return EngineSpec(
            self.name,
            self.side,
            self.fit,
            self.dim,
            self.fingerprint,
            self.variant,
            passport=self.passport,
            canary=self.canary,
        )

    @model_validator(mode="after")
    def _canary_fits(self) -> Self:
        if len(self.canary) % (self.dim * _VECTOR_TYPE.itemsize):
            raise ValueError("the canary is of another length")
        return self


def describe(spec: EngineSpec, *, batch_max: int, text: bool) -> Description:
    """Describe the engine of a service; where its folder lies is nobody else's business."""
    passport = None if spec.passport is None else replace(spec.passport, source="")
    return Description(
        name=spec.name,
        side=spec.side,
        fit=spec.fit,
        dim=spec.dim,
        fingerprint=spec.fingerprint,
        variant=spec.variant,
        canary=base64.b64encode(spec.canary),
        text=text,
        batch_max=batch_max,
        passport=passport,
    )


def packed(vectors: Vectors) -> bytes:
    """Return vectors as they travel."""
    return np.ascontiguousarray(vectors, _VECTOR_TYPE).tobytes()


def unpacked(body: bytes, dim: int) -> Vectors:
    """Read vectors as they travelled into an array of one's own.

    Raises:
        ValueError: the body is not of whole vectors.
    """
    return np.frombuffer(body, _VECTOR_TYPE).reshape(-1, dim).astype(np.float32)
