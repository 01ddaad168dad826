"""From uploaded pictures to rows for the catalog: decoded once, described, embedded in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import structlog

from arthur.errors import ArthurError, EngineError
from arthur.pictures import jpeg
from arthur.recognition.answers import content_hash
from arthur.recognition.geometry import PREVIEW_SIDE, Geometry, shrunk
from arthur.recognition.likeness import Enrolled
from arthur.recognition.parts import Options, Parts, Picture
from arthur.types import LocalFeatures, Metadata, NewView, StoredView, ViewId

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A picture to be enrolled under a name.

    Attributes:
        image: the bytes of the picture file.
        source: the URL or file it came from, or "" for an upload.
    """

    view: ViewId
    image: bytes
    source: str = ""
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decoded:
    """An enrolment whose picture was read.

    Attributes:
        thumbnail: a JPEG; None when none are made.
        features: of the picture; None without a verifier, or when it failed at this picture.
    """

    enrolment: Enrolment
    picture: Picture
    thumbnail: bytes | None
    features: LocalFeatures | None


@dataclass(frozen=True, slots=True)
class Embedded:
    """A row for the catalog, and the thumbnail to be kept beside it."""

    row: NewView
    thumbnail: bytes | None

    def enrolled(self, stored: StoredView) -> Enrolled:
        """Return what is compared with other works, once the catalog has the row."""
        features = self.row.features
        return Enrolled(stored, self.row.vector, None if features is None else features.data)


class Preparation:
    """Decodes, describes and embeds enrolments. Callable from any thread."""

    def __init__(self, parts: Parts, options: Options, geometry: Geometry | None) -> None:
        self._decoder = parts.decoder
        self._encoder = parts.encoder
        self._geometry = geometry
        self._options = options

    def __call__(self, enrolments: Sequence[Enrolment]) -> list[Embedded | ArthurError]:
        """Return a row or the reason why there is none, for each enrolment in order.

        Memory stays bounded by the batch: pixels live until their batch is embedded.

        Raises:
            Overloaded: the queue of the engine is full.
        """
        size = self._options.batch_max
        batches = [enrolments[first : first + size] for first in range(0, len(enrolments), size)]
        return [outcome for batch in batches for outcome in self._batch(batch)]

    def _batch(self, enrolments: Sequence[Enrolment]) -> list[Embedded | ArthurError]:
        decoded = [self._decoded(enrolment) for enrolment in enrolments]
        embedded = iter(self._embedded([one for one in decoded if isinstance(one, Decoded)]))
        return [next(embedded) if isinstance(one, Decoded) else one for one in decoded]

    def _decoded(self, enrolment: Enrolment) -> Decoded | ArthurError:
        spec = self._encoder.spec
        try:
            side = max(self._options.thumbnail_side, 0 if self._geometry is None else PREVIEW_SIDE)
            picture = self._decoder(enrolment.image, spec.side, fit=spec.fit, preview_side=side)
        except ArthurError as error:
            return error
        return Decoded(enrolment, picture, self._thumbnail(picture), self._described(enrolment, picture))

    def _thumbnail(self, picture: Picture) -> bytes | None:
        side = self._options.thumbnail_side
        return jpeg(shrunk(picture.preview, side)) if side and picture.preview is not None else None

    def _described(self, enrolment: Enrolment, picture: Picture) -> LocalFeatures | None:
        """Return the local features; a picture at which the verifier fails is enrolled without."""
        if self._geometry is None or picture.preview is None:
            return None
        try:
            return self._geometry.describe(picture.preview)
        except EngineError as error:
            log.error("features_failed", view=enrolment.view.hierarchical, error=str(error))  # noqa: TRY400  # one line
            return None

    def _embedded(self, decoded: Sequence[Decoded]) -> list[Embedded | ArthurError]:
        """Embed together; if that fails, one by one, so that the picture at fault is found."""
        if not decoded:
            return []
        try:
            vectors = self._encoder.encode(np.stack([one.picture.pixels for one in decoded]))
        except EngineError as error:
            if len(decoded) == 1:
                return [error]
            return [outcome for one in decoded for outcome in self._embedded([one])]
        return [Embedded(self._row(one, vector), one.thumbnail) for one, vector in zip(decoded, vectors, strict=True)]

    def _row(self, decoded: Decoded, vector: np.ndarray[tuple[int], np.dtype[np.float32]]) -> NewView:
        enrolment, picture = decoded.enrolment, decoded.picture
        return NewView(
            view=enrolment.view,
            vector=vector,
            fingerprint=self._encoder.spec.fingerprint,
            content_hash=content_hash(enrolment.image),
            source=enrolment.source,
            format=picture.format,
            width=picture.width,
            height=picture.height,
            size_bytes=len(enrolment.image),
            metadata=enrolment.metadata,
            features=decoded.features,
            passport=self._encoder.spec.passport,
        )
