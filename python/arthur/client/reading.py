"""JSON into the frozen values of `answers`, checked member by member."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from arthur.client.errors import BadAnswer

Value = TypeVar("Value")
Reader = Callable[[object], object]


def read(kind: type[Value], members: object) -> Value:
    """Return `members` as a `kind`, whose annotations say what each must be. Members it does not name are passed over.

    Raises:
        BadAnswer: a member is missing, or of another type; the message names it.
    """
    value = _of_dataclass(kind)(members)  # type: ignore[arg-type]  # mypy takes no type[Value] for hashable
    if not isinstance(value, kind):
        raise BadAnswer(f"a {kind.__name__} was expected")
    return value


def _reader(kind: object) -> Reader:
    """Return what reads values of a type."""
    if isinstance(kind, type) and is_dataclass(kind):
        return _of_dataclass(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (inner,) = (one for one in arguments if one is not types.NoneType)
        return _optional(_reader(inner))
    if origin is tuple:
        return _tuple(arguments)
    if origin is Literal:
        return _checked(lambda value: value in arguments, f"one of {arguments}")
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(_reader(arguments[1]))
    return _PLAIN[kind]


@cache
def _of_dataclass(kind: type) -> Reader:
    hints = get_type_hints(kind)
    named = {one.name: _reader(hints[one.name]) for one in fields(kind)}

    def reading(value: object) -> object:
        if not isinstance(value, dict):
            raise BadAnswer(f"{kind.__name__}: an object was expected, not {type(value).__name__}")
        try:
            return kind(**{name: _within(name, reader, value) for name, reader in named.items() if name in value})
        except TypeError as error:  # a member without a default is not there
            missing = [name for name in named if name not in value]
            raise BadAnswer(f"{kind.__name__}: no {' or '.join(missing)} in the answer") from error

    return reading


def _within(name: str, reader: Reader, members: Mapping[str, object]) -> object:
    try:
        return reader(members[name])
    except BadAnswer as error:
        raise BadAnswer(f"{name}: {error}") from error


def _optional(reader: Reader) -> Reader:
    return lambda value: None if value is None else reader(value)


def _tuple(arguments: tuple[object, ...]) -> Reader:
    """Return what reads a list: of any length for `tuple[X, ...]`, else of that many members."""
    reader = _reader(arguments[0])
    length = None if arguments[-1] is Ellipsis else len(arguments)

    def reading(value: object) -> tuple[object, ...]:
        if not isinstance(value, list) or length not in (None, len(value)):
            raise BadAnswer(f"a list was expected, not {value!r:.80}")
        return tuple(reader(one) for one in value)

    return reading


def _mapping(reader: Reader) -> Reader:
    def reading(value: object) -> dict[str, object]:
        if not isinstance(value, dict):
            raise BadAnswer(f"an object was expected, not {value!r:.80}")
        return {name: reader(one) for name, one in value.items()}

    return reading


def _checked(holds: Callable[[Any], bool], what: str) -> Reader:
    def reading(value: object) -> object:
        if not holds(value):
            raise BadAnswer(f"{what} was expected, not {value!r:.80}")
        return value

    return reading


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadAnswer(f"a number was expected, not {value!r:.80}")
    return float(value)


def _moment(value: object) -> datetime:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError as error:
        raise BadAnswer(f"a time was expected, not {value!r:.80}") from error


_PLAIN: Mapping[Any, Reader] = {
    str: _checked(lambda value: isinstance(value, str), "a text"),
    bool: _checked(lambda value: isinstance(value, bool), "true or false"),
    int: _checked(lambda value: isinstance(value, int) and not isinstance(value, bool), "a whole number"),
    float: _number,
    datetime: _moment,
    object: lambda value: value,
}
