"""JSON lines: one request a line, in a form that any recorder can write. docs/migration.md describes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from arthur.errors import BadRequest
from arthur.replay.bodies import decoded, form_body
from arthur.replay.requests import Recorded, Unusable, kept_headers, target_of


class _Content(BaseModel):
    """Bytes, given in at most one of three ways; `file` is relative to the recording."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str | None = None
    base64: str | None = None
    file: str | None = None

    def data(self, folder: Path) -> bytes:
        """Return the bytes.

        Raises:
            BadRequest: two ways are used, or the file cannot be read.
        """
        given = [one for one in (self.text, self.base64, self.file) if one is not None]
        if len(given) > 1:
            raise BadRequest("give only one of `text`, `base64` and `file`")
        if self.base64 is not None:
            return decoded(self.base64)
        if self.file is not None:
            try:
                return (folder / self.file).read_bytes()
            except OSError as error:
                raise BadRequest(f"{self.file}: {error.strerror}") from error
        return (self.text or "").encode()


class _Part(_Content):
    name: str
    filename: str | None = None
    content_type: str | None = None


class _Line(_Content):
    method: str = "POST"
    path: str
    headers: dict[str, str] = {}
    multipart: tuple[_Part, ...] = ()


def read_lines(source: Path) -> Iterator[Recorded | Unusable]:
    """Give the requests of a file of JSON lines as it is read; empty lines are passed over."""
    with source.open("rb") as lines:
        for place, line in enumerate(lines, 1):
            if line.strip():
                yield _recorded(place, line, source.parent)


def _recorded(place: int, line: bytes, folder: Path) -> Recorded | Unusable:
    try:
        given = _Line.model_validate_json(line)
        headers = kept_headers(given.headers)
        if given.multipart:
            parts = [(one.name, one.filename, one.content_type, one.data(folder)) for one in given.multipart]
            headers["content-type"], body = form_body(parts)
        else:
            body = given.data(folder)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return Unusable(place, f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}")
    except BadRequest as error:
        return Unusable(place, str(error))
    return Recorded(place, given.method.upper(), target_of(given.path), headers, body)
