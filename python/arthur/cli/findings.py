"""The examinations of `arthur doctor`: each looks at one part and says how it is."""

from __future__ import annotations

import platform
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from arthur.assemble import (
    check_data_folder,
    open_following_index,
    open_following_local_index,
)
from arthur.blobs import open_blobs
from arthur.cache import open_cache
from arthur.calibration.kept import calibration_note, stale_calibration
from arthur.catalog import Catalog, open_catalog
from arthur.config import Settings
from arthur.encode import Encoder, canary, open_encoder
from arthur.encode.remote import RemoteEncoder
from arthur.errors import ArthurError
from arthur.in_force import engine_folders, engine_in_force
from arthur.recognition.follower import Follower
from arthur.recognition.history import feature_history, vector_history
from arthur.release import installed_version
from arthur.verify import Verifier, open_verifier
from arthur.web.gate import is_public

State: TypeAlias = Literal["ok", "warning", "wrong"]
Opened = TypeVar("Opened")

_PACKAGES = (
    "numpy",
    "onnxruntime",
    "robyn",
    "granian",
    "sqlalchemy",
    "obstore",
    "polars",
    "pillow-heif",
    "pillow-avif-plugin",
)
_DOT_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")
_LITTLE_SPACE = 2 * 2**30
_CPU_FACTS = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Finding:
    """How a part is. `mend` says what to do about it, or is empty."""

    part: str
    state: State
    detail: str
    mend: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Examine everything, each part on its own, so that one that is broken does not hide the others."""
    examinations: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _versions,
        _native,
        _pillow,
        _cpu,
        _folder,
        _stores,
        _port,
    )
    for examination in examinations:
        yield from examination(settings)


def _versions(_: Settings) -> Iterator[Finding]:
    yield Finding("arthur", "ok", f"{installed_version()} on Python {platform.python_version()}, {platform.platform()}")
    for package in _PACKAGES:
        try:
            yield Finding(package, "ok", version(package))
        except PackageNotFoundError:
            yield Finding(package, "wrong", "not installed", "install arthur-imgreco with its requirements again")


def _native(_: Settings) -> Iterator[Finding]:
    try:
        from arthur import _native as native
    except ImportError as error:
        yield Finding("native extension", "wrong", str(error), "build it with `make setup`, or install a wheel")
        return
    if native.DEBUG_BUILD:
        yield Finding("native extension", "wrong", "a debug build, many times slower", "build it with --release")
    else:
        yield Finding("native extension", "ok", f"{native.__version__}, release build")


def _pillow(_: Settings) -> Iterator[Finding]:
    from PIL import __version__ as found

    if "post" in found:
        yield Finding("pillow", "ok", f"pillow-simd {found}")
    else:
        yield Finding("pillow", "warning", f"pillow {found}, without SIMD", "`make setup` builds pillow-simd")


def _cpu(_: Settings) -> Iterator[Finding]:
    try:
        words = frozenset(_CPU_FACTS.read_text(encoding="utf-8").split())
    except OSError:
        yield Finding("cpu", "warning", f"{platform.machine()}, its features cannot be read here")
        return
    known = [flag for flag in _DOT_FLAGS if flag in words]
    fast = any(flag in known for flag in ("avx2", "asimddp"))
    detail = f"{platform.machine()} with {', '.join(known) or 'no vector features that matter'}"
    if fast:
        yield Finding("cpu", "ok", detail)
    else:
        yield Finding("cpu", "warning", detail, "engines and searches run several times slower than on a newer CPU")


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data.resolve()
    try:
        check_data_folder(folder)
    except ArthurError as error:
        yield Finding("data folder", "wrong", str(error), "change its owner or name another with --data")
        return
    free = shutil.disk_usage(folder).free
    detail = f"{folder} is writable, {free / 2**30:.1f} GiB free"
    if free < _LITTLE_SPACE:
        yield Finding("data folder", "warning", detail, "free some space: a full disk refuses writes")
    else:
        yield Finding("data folder", "ok", detail)


def _stores(settings: Settings) -> Iterator[Finding]:
    """Examine blobs, engine and catalog, and the index, which needs the latter two."""
    with ExitStack() as opened:
        yield _tried("blobs", lambda: _blobs(settings), "check the blob store's URL and rights")[0]
        yield _cache(settings)
        # opened first, because it tells the engine in force
        cataloged, catalog = _tried("catalog", lambda: _catalog(settings, opened), "restore it from a backup")
        work = partial(_engine, settings, catalog, opened)
        finding, encoder = _tried("engine", work, "`arthur engines list` names others")
        yield finding
        if isinstance(encoder, RemoteEncoder):
            yield from _embedders(encoder)
        yield cataloged
        if encoder is not None and catalog is not None:
            indexed = partial(_index, settings, catalog, encoder, opened)
            yield _tried("index", indexed, "`arthur reindex` rebuilds it")[0]
            yield from _local(settings, catalog, encoder, opened)
        if catalog is not None:
            yield _access(settings, catalog)


def _tried(part: str, work: Callable[[], tuple[str, Opened]], mend: str) -> tuple[Finding, Opened | None]:
    """Open a part and return how it is, and the part if it is sound."""
    try:
        detail, opened = work()
    except ArthurError as error:
        return Finding(part, "wrong", str(error), mend), None
    return Finding(part, "ok", detail), opened


def _blobs(settings: Settings) -> tuple[str, None]:
    open_blobs(settings.blobs_url).ping()
    return "answers", None


def _cache(settings: Settings) -> Finding:
    """Keep a value and fetch it. A cache that keeps nothing makes Arthur slower, not wrong."""
    try:
        with closing(open_cache(settings.cache)) as cache:
            cache.put(b"doctor", b"well", 60)
            kept = cache.fetch(b"doctor") is not None and not cache.stats().get("faults")
    except ArthurError as error:
        return Finding("cache", "wrong", str(error), "name another with ARTHUR_CACHE")
    if kept or settings.cache == "none:":
        return Finding("cache", "ok", "answers" if kept else "switched off")
    return Finding("cache", "warning", "keeps nothing", "check that the server of ARTHUR_CACHE runs and has room")


def _engine(settings: Settings, catalog: Catalog | None, opened: ExitStack) -> tuple[str, Encoder]:
    """Load the engine in force, which checks its files and golden vectors, and embed the canary."""
    engine = settings.engine if catalog is None else engine_in_force(settings, catalog)
    encoder = open_encoder(
        engine,
        threads=settings.engine_threads,
        folders=engine_folders(settings),
        runtime=settings.runtime,
        device=settings.device,
    )
    opened.callback(encoder.close)
    canary(encoder)
    spec = encoder.spec
    return f"{spec.label}, {spec.side} px, {spec.dim} dimensions, gives its golden vectors", encoder


def _embedders(encoder: RemoteEncoder) -> Iterator[Finding]:
    """Tell of each embedding service whether it is asked."""
    for url, why in encoder.services().items():
        if why:
            yield Finding("embedder", "warning", f"{url}: {why}", "start it with `arthur embedder serve`")
        else:
            yield Finding("embedder", "ok", f"{url} answers")


def _catalog(settings: Settings, opened: ExitStack) -> tuple[str, Catalog]:
    catalog = open_catalog(settings.catalog_url)
    opened.callback(catalog.close)
    counts = catalog.counts()
    detail = f"{counts.artists} artists, {counts.entries} entries, {counts.views} views at sequence {catalog.latest()}"
    return detail, catalog


def _index(settings: Settings, catalog: Catalog, encoder: Encoder, opened: ExitStack) -> tuple[str, None]:
    """Open the index, let it catch up, and compare the numbers."""
    spec = encoder.spec
    index = open_following_index(settings, catalog, encoder)
    opened.callback(index.close)
    sequence = Follower(catalog, index, vector_history(catalog, index, fingerprint=spec.fingerprint)).catch_up()
    views = catalog.counts().views
    missing = f", {views - len(index)} views wait for another engine or a reindex" if len(index) != views else ""
    return f"{len(index)} views at sequence {sequence}{missing}", None


def _local(settings: Settings, catalog: Catalog, encoder: Encoder, opened: ExitStack) -> Iterator[Finding]:
    """Examine the verifier and its index, unless they are switched off, and the calibration."""
    fingerprint = ""
    if settings.local_url:
        finding, verifier = _tried("verifier", lambda: _verifier(settings), "install Arthur anew")
        yield finding
        if verifier is None:
            return
        fingerprint = verifier.fingerprint
        work = partial(_local_index, settings, catalog, verifier, opened)
        yield _tried("local index", work, "`arthur reindex` rebuilds it")[0]
    stale = stale_calibration(catalog, encoder.spec.fingerprint, fingerprint)
    own = catalog.note(calibration_note(encoder.spec.fingerprint)) is not None
    if stale or not own:
        detail = f"stale: {stale}" if stale else "the shipped default decides"
        yield Finding("calibration", "warning", detail, "`arthur calibrate` fits the decision to this catalogue")
    else:
        yield Finding("calibration", "ok", "fitted to this catalogue")


def _verifier(settings: Settings) -> tuple[str, Verifier]:
    verifier = open_verifier(settings.verifier)
    return verifier.fingerprint, verifier


def _local_index(settings: Settings, catalog: Catalog, verifier: Verifier, opened: ExitStack) -> tuple[str, None]:
    """Open the local index and let it catch up."""
    index = open_following_local_index(settings, catalog, verifier)
    opened.callback(index.close)
    sequence = Follower(catalog, index, feature_history(catalog, index, fingerprint=verifier.fingerprint)).catch_up()
    missing = catalog.counts().views - len(index)
    waiting = f", {missing} views have no local features: import them again" if missing else ""
    return f"{len(index)} views at sequence {sequence}{waiting}", None


def _access(settings: Settings, catalog: Catalog) -> Finding:
    """Say who may ask, and warn of what a server on this address would refuse or allow."""
    keys = catalog.api_keys()
    active = sum(key.state(time.time_ns() // 1000) == "active" for key in keys)
    demanded = settings.access == "keys" or (settings.access == "auto" and bool(keys))
    if demanded and not active:
        return Finding(
            "access", "warning", "API keys are demanded, and none is active", "`arthur keys create` makes one"
        )
    if demanded:
        return Finding("access", "ok", f"API keys are demanded, {active} of {len(keys)} are active")
    if not is_public(settings.host):
        return Finding("access", "ok", f"no API key is demanded, and only this machine reaches {settings.host}")
    if settings.access == "open":
        return Finding("access", "warning", f"everyone who reaches {settings.host} may write", "unset ARTHUR_ACCESS")
    mend = "`arthur keys create` makes an API key; `arthur serve --open` takes writes without any"
    return Finding("access", "warning", f"writes are refused on {settings.host}: there is no API key", mend)


def _port(settings: Settings) -> Iterator[Finding]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    where = f"{settings.host}:{settings.port}"
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except OSError as error:
        yield Finding("port", "warning", f"{where}: {error.strerror}", "Arthur may be running; else choose --port")
    else:
        yield Finding("port", "ok", f"{where} is free")
