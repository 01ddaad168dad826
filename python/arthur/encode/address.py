"""Where embedding services listen, as settings name it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from arthur.errors import ConfigError

_SCHEMES = ("http://", "https://", "unix:")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service listens: `http://host:port`, or `unix:/path`."""

    url: str
    host: str = "localhost"
    port: int = 0
    path: str = ""


def is_remote(engine: str) -> bool:
    """Whether an `engine` setting names embedding services rather than an engine."""
    return engine.startswith(_SCHEMES)


def parse_addresses(engine: str) -> tuple[Address, ...]:
    """Read the addresses in an `engine` setting, separated by commas.

    Raises:
        ConfigError: one is not of the form `http://host:port` or `unix:/path`.
    """
    urls = [url.strip() for url in engine.split(",") if url.strip()]
    return tuple(_address(url) for url in dict.fromkeys(urls))


def _address(url: str) -> Address:
    if url.startswith("unix:/"):
        return Address(url, path=url.removeprefix("unix:"))
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.scheme != "http" or not host or not port or parts.path.strip("/") or parts.query or parts.username:
        raise ConfigError(f"{url!r} is no address of an embedding service: http://host:port or unix:/path")
    return Address(url, host, port)
