"""What the URL of a Qdrant index says: where the server is, and how the collection is laid out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TypeVar
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from arthur.errors import ConfigError

__all__ = ["Layout", "Place", "read_url"]

Value = TypeVar("Value")

FORM = "qdrant://[KEY@]HOST[:PORT][?shards=1&replicas=1&...], or qdrants:// for TLS"
_PORT = 6334


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server listens for gRPC, and the API key it wants.

    Attributes:
        timeout_s: whole seconds after which a search is given up.
        write_timeout_s: the same for puts and removals, which wait for replicas.
    """

    host: str
    port: int
    tls: bool
    key: str | None = field(repr=False)
    timeout_s: int
    write_timeout_s: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How a collection is laid out. What begins with `search` may differ between processes.

    Attributes:
        shards: parts of the collection; another number makes another collection.
        replicas: copies of each shard.
        write_consistency: copies that must have taken a write before it counts.
        on_disk: whether vectors stay on disk and only what is needed of them is read; else they are kept in memory.
        quantization: `int8` keeps a copy of one byte a value in memory, by which searches begin; `none` has none.
        m, ef_construct: links of a node of the graph, and candidates that are looked at for them.
        graph_from_kb: size of a segment from which it gets a graph, in kB of vectors.
        full_scan_kb: size of what a filter leaves up to which everything is compared, in kB of vectors.
        search_ef: candidates that a search of a graph looks at.
        search_oversampling: how many times `k` candidates are compared again by their stored vectors.
    """

    shards: int = 1
    replicas: int = 1
    write_consistency: int = 1
    on_disk: bool = True
    quantization: str = "int8"
    m: int = 16
    ef_construct: int = 128
    graph_from_kb: int = 20_000
    full_scan_kb: int = 50_000
    search_ef: int = 256
    search_oversampling: float = 2.0

    @property
    def kept(self) -> dict[str, str]:
        """What the server has to keep, as it is noted beside the collection."""
        return {name: str(value) for name, value in asdict(self).items() if not name.startswith("search")}


def read_url(url: str) -> tuple[Place, Layout]:
    """Read `qdrant://` or `qdrants://` with its options.

    Raises:
        ConfigError: it is not of that form; the message has no API key in it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _PORT
    except ValueError as error:
        raise ConfigError(f"the index URL must be {FORM}: {error}") from error
    if not host or parts.path not in ("", "/") or parts.fragment or parts.scheme not in ("qdrant", "qdrants"):
        raise ConfigError(f"the index URL must be {FORM}")
    options = _Options(parts.query)
    place = Place(
        host,
        port,
        tls=parts.scheme == "qdrants",
        key=_key(parts),
        timeout_s=options.whole("timeout_s", 5),
        write_timeout_s=options.whole("write_timeout_s", 60),
    )
    layout = _layout(options)
    options.check_all_taken()
    return place, layout


def _layout(options: _Options) -> Layout:
    usual = Layout()
    layout = Layout(
        shards=options.whole("shards", usual.shards),
        replicas=options.whole("replicas", usual.replicas),
        write_consistency=options.whole("write_consistency", usual.write_consistency),
        on_disk=options.one_of("on_disk", {"true": True, "false": False}, "true"),
        quantization=options.one_of("quantization", {"int8": "int8", "none": "none"}, usual.quantization),
        m=options.whole("m", usual.m),
        ef_construct=options.whole("ef_construct", usual.ef_construct),
        graph_from_kb=options.whole("graph_from_kb", usual.graph_from_kb),
        full_scan_kb=options.whole("full_scan_kb", usual.full_scan_kb),
        search_ef=options.whole("ef", usual.search_ef),
        search_oversampling=options.whole("oversampling", int(usual.search_oversampling)),
    )
    if layout.write_consistency > layout.replicas:
        raise ConfigError("index option write_consistency must not exceed replicas: no write could succeed")
    return layout


def _key(parts: SplitResult) -> str | None:
    """Return the API key, written as the user or, as browsers and shells like it, as the password."""
    return unquote(parts.password or parts.username or "") or None


class _Options:
    """The options of a URL, each taken once."""

    def __init__(self, query: str) -> None:
        self._left = dict(parse_qsl(query, keep_blank_values=True))

    def whole(self, name: str, usual: int) -> int:
        """Take a whole number above 0."""

        def read(value: str) -> int:
            if not value.isdecimal() or len(value) > 9 or int(value) < 1:
                raise ConfigError(f"index option {name} must be a whole number above 0, not {value!r}")
            return int(value)

        return self._taken(name, str(usual), read)

    def one_of(self, name: str, words: Mapping[str, Value], usual: str) -> Value:
        """Take one of these words."""

        def read(value: str) -> Value:
            if value not in words:
                raise ConfigError(f"index option {name} must be {' or '.join(words)}, not {value!r}")
            return words[value]

        return self._taken(name, usual, read)

    def check_all_taken(self) -> None:
        """Refuse options that nobody knows."""
        if self._left:
            raise ConfigError(f"index option {min(self._left)!r} is not known")

    def _taken(self, name: str, usual: str, read: Callable[[str], Value]) -> Value:
        return read(self._left.pop(name, usual))
