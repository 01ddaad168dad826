"""What `/api/v1` reads: bodies and parameters, checked by these models, which also describe them on the API page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError

from arthur.errors import BadRequest
from arthur.types import VerifyMode

MAX_BATCH = 64
MAX_FRAMES = 8
MAX_MIX = 8

Model = TypeVar("Model", bound=BaseModel)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Artists = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=512)]],
    BeforeValidator(_listed),
    Field(default_factory=list, max_length=100, description="Search only these artists; repeat for several"),
]
MinScore = Annotated[
    float | None, Field(ge=-1, le=1, allow_inf_nan=False, description="Leave out entries below this score")
]
K = Annotated[int, Field(ge=1, le=100, description="Entries wanted")]


class Lenient(BaseModel):
    """A model of what is read: names it does not know are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class SimilarParams(Lenient):
    """How to search for entries like a stored view."""

    k: K = 10
    artist_id: Artists
    min_score: MinScore = None


class MatchParams(SimilarParams):
    """How to recognize."""

    max_false_accept: Annotated[
        float | None, Field(gt=0, lt=1, allow_inf_nan=False, description="Accepted probability that a match is wrong")
    ] = None
    verify: VerifyMode = "auto"
    deadline_ms: Annotated[
        float | None, Field(gt=0, le=600_000, allow_inf_nan=False, description="Time for the answer, milliseconds")
    ] = None


class PageParams(Lenient):
    """Which part of a list."""

    cursor: Annotated[str | None, Field(max_length=2048, description="`next_cursor` of the page before")] = None
    limit: Annotated[int, Field(ge=1, le=1000, description="Rows wanted")] = 100


class RebuildParams(Lenient):
    """Whether to wait."""

    wait: Annotated[bool, Field(description="Answer when the rebuild has ended")] = False


class ImageSource(Lenient):
    """A picture: exactly one of its two members."""

    image_url: Annotated[str | None, Field(examples=["https://example.org/photo.jpg"])] = None
    image_base64: Annotated[str | None, Field(description="Standard base64, or a data URL")] = None


class PhotoParams(MatchParams):
    """How to recognize, and whether to draw what was found."""

    overlay: Annotated[bool, Field(description="Draw the works that were found on the photo, as a data URL")] = False


class MatchJson(PhotoParams, ImageSource):
    """A picture and how to recognize it."""


class MatchForm(PhotoParams):
    """`image`, repeated for several frames of one artwork, and the parameters as fields."""

    image: Annotated[list[bytes], Field(min_length=1, max_length=MAX_FRAMES)]


Words = Annotated[str | None, Field(min_length=1, max_length=2000, description="What to search for, in words")]


Weight = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False, description="Below 0 for what is not wanted")]


class SearchItem(ImageSource):
    """One part of a question: exactly one of `text`, `image_url` and `image_base64`."""

    text: Words = None
    weight: Weight = 1.0


class SearchParams(SimilarParams):
    """How to search by texts and pictures."""

    text_weight: Weight = 1.0
    image_weight: Weight = 1.0


class SearchJson(SearchParams, ImageSource):
    """A text, a picture, or both; or any number of texts and pictures, whose vectors are added by weight."""

    text: Words = None
    mix: Annotated[
        list[SearchItem], Field(default_factory=list, max_length=MAX_MIX, description="Texts and pictures with weights")
    ]


class SearchFields(SearchParams):
    """What a form says in words."""

    text: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=2000)]],
        BeforeValidator(_listed),
        Field(default_factory=list, max_length=MAX_MIX),
    ]


class SearchForm(SearchFields):
    """`text` and `image`, each of which may be repeated; all texts count `text_weight`, all pictures `image_weight`."""

    image: Annotated[list[bytes], Field(default_factory=list, max_length=MAX_MIX)]


class BatchItem(ImageSource):
    """One picture of a batch; `id` comes back with its answer."""

    id: Annotated[str | None, Field(max_length=512)] = None


class BatchJson(MatchParams):
    """Pictures that are recognized one by one."""

    images: Annotated[list[BatchItem], Field(min_length=1, max_length=MAX_BATCH)]


class BatchForm(MatchParams):
    """`image`, repeated; the file names come back as ids."""

    image: Annotated[list[bytes], Field(min_length=1, max_length=MAX_BATCH)]


class ViewParams(Lenient):
    """What is kept beside a view."""

    metadata: Annotated[dict[str, JsonValue] | None, Field(description="A JSON object")] = None


class ViewQuery(Lenient):
    """What is kept beside a view, when its picture is the whole body."""

    metadata: Annotated[str | None, Field(description="A JSON object, as text")] = None


class ViewJson(ViewParams, ImageSource):
    """A picture and what is kept beside it."""


class ViewForm(Lenient):
    """One `image`; every other field is kept as metadata, and `metadata` may be a JSON object."""

    image: bytes
    metadata: str | None = None


def read_model(model: type[Model], given: Mapping[str, object]) -> Model:
    """Check what a caller gave.

    Raises:
        BadRequest: a member is missing, out of range or of another type; the message names it.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadRequest(f"{where}: {first['msg']}") from error


def query_model(model: type[Model], query: Mapping[str, tuple[str, ...]]) -> Model:
    """Check query parameters or form fields. See read_model."""
    return read_model(model, flat(model, query))


def flat(model: type[BaseModel], pairs: Mapping[str, tuple[str, ...]]) -> dict[str, object]:
    """Return the members that `model` knows; where it takes one value, the last one given counts."""
    lists = {name for name, field in model.model_fields.items() if field.default_factory is list}
    return {
        name: list(pairs[name]) if name in lists else pairs[name][-1] for name in model.model_fields if name in pairs
    }
