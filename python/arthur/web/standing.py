"""How the parts stand at the moment of a scrape, as the worker that answers it sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from arthur.types import JsonValue

_PASSPORT = ("fingerprint", "precision", "runtime", "device")
_INDICES = ("index", "local_index")


@dataclass(frozen=True, slots=True)
class Standing(Collector):
    """Reads the state of the parts.

    Attributes:
        status: see Recognizer.status.
        embedders: tells of each embedding service by address "ok", or why it is not asked.
    """

    version: str
    status: Callable[[], Mapping[str, JsonValue]]
    embedders: Callable[[], Mapping[str, str]] = dict

    def collect(self) -> Iterator[Metric]:
        """Yield one reading; what does not answer is left out, and told by `arthur_part_up`."""
        state = self.status()
        yield _family("arthur_build_info", "Version of Arthur", ("version",), {(self.version,): 1})
        yield _engine(state)
        yield from _catalog(state)
        yield from _indices(state)
        up: dict[tuple[str, ...], object] = {(url,): how == "ok" for url, how in self.embedders().items()}
        yield _family("arthur_embedder_up", "Whether an embedding service is asked", ("embedder",), up)


def _family(name: str, meaning: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], object]) -> Metric:
    """Return a gauge with those of the values that are numbers."""
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for told, value in values.items():
        if isinstance(value, int | float):
            family.add_metric(list(told), value)
    return family


def _engine(state: Mapping[str, JsonValue]) -> Metric:
    """Return the passport of the engine in force, whose value is 1."""
    facts = _members(state, "passport")
    told = (state["engine"], facts.get("id"), *(facts.get(name) for name in _PASSPORT))
    values = {tuple("" if one is None else str(one) for one in told): 1}
    return _family("arthur_engine_info", "Passport of the engine in force", ("engine", "passport", *_PASSPORT), values)


def _catalog(state: Mapping[str, JsonValue]) -> Iterator[Metric]:
    parts = ("catalog", *(name for name in _INDICES if name in state))
    failed = state.get("degraded")
    up: dict[tuple[str, ...], object] = {(part,): not (isinstance(failed, list) and part in failed) for part in parts}
    yield _family("arthur_part_up", "Whether a part answers", ("part",), up)
    yield _family("arthur_catalog_sequence", "Newest sequence of the catalogue", (), {(): state.get("catalog_seq")})
    amounts: dict[tuple[str, ...], object] = {(name,): count for name, count in _members(state, "counts").items()}
    yield _family("arthur_catalog_size", "Artists, entries and views of the catalogue", ("of",), amounts)
    stale: dict[tuple[str, ...], object] = {(): bool(state.get("calibration_stale"))}
    yield _family("arthur_calibration_stale", "Whether the catalogue's own calibration is not in force", (), stale)


def _indices(state: Mapping[str, JsonValue]) -> Iterator[Metric]:
    views: dict[tuple[str, ...], object] = {(name,): _members(state, name).get("views") for name in _INDICES}
    yield _family("arthur_index_views", "Views in an index", ("index",), views)


def _members(state: Mapping[str, JsonValue], name: str) -> dict[str, JsonValue]:
    """Return a part of the state; nothing where the part does not answer."""
    part = state.get(name)
    return part if isinstance(part, dict) else {}
