"""What an expression of PromQL asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser
from promql_parser import AggregateExpr, BinaryExpr, Call, MatrixSelector, ParenExpr, SubqueryExpr, UnaryExpr

VARIABLES = {"$__rate_interval": "5m", "$instance": ".*"}


@dataclass(frozen=True)
class Asked:
    """A series, the values that its labels have to have, and the labels that it needs."""

    name: str
    equal: tuple[tuple[str, str], ...]
    labels: frozenset[str]


def asked(expression: str) -> list[Asked]:
    """Return every series that an expression asks for, with the labels by which it is chosen or grouped."""
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    return list(_asked(promql_parser.parse(expression), frozenset()))


def _asked(node: object, grouped: frozenset[str]) -> Iterator[Asked]:
    if isinstance(node, promql_parser.VectorSelector):
        matchers = node.matchers.matchers
        equal = tuple((one.name, one.value) for one in matchers if one.op == promql_parser.MatchOp.Equal)
        yield Asked(node.name, equal, grouped | {one.name for one in matchers})
    elif isinstance(node, AggregateExpr):
        by = node.modifier.labels if node.modifier is not None else ()
        yield from _asked(node.expr, frozenset(by))
    else:
        for part in _parts(node):
            yield from _asked(part, grouped)


def _parts(node: object) -> list[object]:
    if isinstance(node, BinaryExpr):
        return [node.lhs, node.rhs]
    if isinstance(node, Call):
        return list(node.args)
    if isinstance(node, MatrixSelector):
        return [node.vector_selector]
    return [node.expr] if isinstance(node, ParenExpr | SubqueryExpr | UnaryExpr) else []
