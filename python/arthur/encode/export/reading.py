"""Reads the JSON files that lie beside the weights of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from arthur.errors import ConfigError


class Part(BaseModel):
    """What is absent has the value that the family's own library assumes."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def _three(given: object) -> object:
    """Refuse a mean or deviation that is null, as some preprocessors write it."""
    return () if given is None else given


Colour = Annotated[tuple[float, float, float], BeforeValidator(_three)]

_Model = TypeVar("_Model", bound=BaseModel)


def read_json(path: Path, kind: type[_Model]) -> _Model:
    """Read one JSON file.

    Raises:
        ConfigError: it cannot be read, or is not of that form; names file and key.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: key {key!r}: {first['msg']}") from error
