"""From a URL to the cache that it names."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from arthur.cache import Cache
from arthur.cache.layers import LayeredCache
from arthur.cache.memory import MemoryCache
from arthur.cache.nothing import NoCache
from arthur.errors import ConfigError

__all__ = ["opened"]

_FORMS = "memory:, memory:?max_mb=N, none:, valkey://HOST:PORT/DB, valkeys://, valkey-cluster:// or unix:///SOCKET"
_SHARED = frozenset(("valkey", "valkeys", "valkey-cluster", "valkeys-cluster", "unix"))


def opened(url: str) -> Cache:
    """Open the cache at `url`. See open_cache."""
    name, _, query = url.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    scheme, separator, rest = name.partition("://")
    if scheme in _SHARED and separator and rest.strip("/"):
        front = _mib(options.pop("front_mb", "16"))
        back = _shared(scheme, rest, options)
        return LayeredCache(MemoryCache(front), back) if front else back
    if name == "none:" and not options:
        return NoCache()
    if name == "memory:" and set(options) <= {"max_mb"}:
        return MemoryCache(_mib(options.get("max_mb", "64")))
    raise ConfigError(f"the cache URL must be {_FORMS}")


def _mib(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 7):
        raise ConfigError("the cache URL names a size that is no number of MiB")
    return int(text) * 2**20


def _shared(scheme: str, rest: str, options: dict[str, str]) -> Cache:
    try:
        from arthur.cache.valkey import OPTIONS, ValkeyCache
    except ImportError as error:
        message = "Valkey needs a package that is not installed: pip install 'arthur-imgreco[valkey]'"
        raise ConfigError(message) from error
    if unknown := sorted(set(options) - OPTIONS):
        raise ConfigError(f"the cache URL has an unknown option: {unknown[0]}")
    plain = scheme.removesuffix("-cluster")
    query = f"?{urlencode(options)}" if options else ""
    return ValkeyCache(f"{plain}://{rest}{query}", cluster=plain != scheme)
