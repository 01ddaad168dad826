"""The one place where settings become objects."""

from __future__ import annotations

import os
import platform
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import structlog

from arthur.blobs import Blobs, open_blobs
from arthur.cache import Cache, open_cache
from arthur.calibration.kept import calibration_note, load_calibration, stale_calibration
from arthur.catalog import Catalog, open_catalog
from arthur.config import Settings
from arthur.decode import ImageDecoder, Limits
from arthur.encode import Encoder, canary
from arthur.encode.endpoint import is_remote
from arthur.encode.remote import RemoteEncoder
from arthur.errors import ConfigError, StoreError
from arthur.fetch import Fetcher
from arthur.in_force import check_remote, engine_folder, engine_in_force, engine_of, open_encoder_of, open_text
from arthur.index import VectorIndex, open_index
from arthur.jobs.courtesy import Courtesy
from arthur.jobs.reading import Web
from arthur.jobs.specs import Reach
from arthur.jobs.trade import ImportTrade, Intake
from arthur.jobs.working import Terms, Trade, Worker
from arthur.local import LocalIndex, open_local
from arthur.recognition.parts import LocalParts, Options, Parts
from arthur.recognition.renewal import RenewableIndex, RenewableLocalIndex
from arthur.recognizer import Recognizer
from arthur.verify import Verifier, open_verifier

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Shared:
    """The parts that every engine works with."""

    decoder: ImageDecoder
    catalog: Catalog
    cache: Cache
    blobs: Blobs
    local: LocalParts | None


@dataclass(frozen=True, slots=True)
class Arthur:
    """Everything a web worker or a command needs, opened. A context manager that closes what it opened.

    Attributes:
        parts: of the engine that was in force when it was opened; only the recognizer knows of a later one.
    """

    settings: Settings
    shared: Shared
    parts: Parts
    fetcher: Fetcher
    recognizer: Recognizer
    _opened: ExitStack = field(repr=False)

    @property
    def encoder(self) -> Encoder:
        """The engine of `parts`."""
        return self.parts.encoder

    @property
    def catalog(self) -> Catalog:
        """The catalog."""
        return self.shared.catalog

    @property
    def cache(self) -> Cache:
        """The cache."""
        return self.shared.cache

    @property
    def blobs(self) -> Blobs:
        """The blob store."""
        return self.shared.blobs

    @property
    def embedders(self) -> dict[str, str]:
        """How each embedding service is, by address: "ok", or why it is not asked; empty where the engine runs here."""
        services = self.encoder.services() if isinstance(self.encoder, RemoteEncoder) else {}
        return {url: why or "ok" for url, why in services.items()}

    def close(self) -> None:
        """Close the parts, last opened first. Closing twice is allowed."""
        self._opened.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the parts."""
        self.close()


def open_arthur(settings: Settings) -> Arthur:
    """Open every part that the settings name. If one cannot be opened, those before it are closed again.

    Raises:
        ConfigError: a setting, the data folder or an installed part is unusable.
        EngineError: the engine does not load or does not give the vectors it promises.
        StoreError: the catalog, the index or the blob store does not open.
    """
    check_data_folder(settings.data)
    # requests run side by side already; OpenCV's own threads would only take the cores from each other
    cv2.setNumThreads(1)
    with ExitStack() as opened:
        catalog = open_catalog(settings.catalog_url)
        opened.callback(catalog.close)
        cache = open_cache(settings.cache)
        opened.callback(cache.close)
        fetcher = _open_fetcher(settings)
        opened.callback(fetcher.close)
        shared = Shared(
            decoder=ImageDecoder(Limits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)),
            catalog=catalog,
            cache=cache,
            blobs=open_blobs(settings.blobs_url),
            local=_open_local(settings, catalog, opened),
        )
        parts = open_model(settings, engine_in_force(settings, catalog), shared)
        recognizer = Recognizer(parts, options_of(settings), reopen=partial(_reopen, settings, shared))
        opened.callback(recognizer.close)
        kept = opened.pop_all()
        return Arthur(settings, shared, parts, fetcher, recognizer, kept)


def open_model(settings: Settings, engine: str, shared: Shared) -> Parts:
    """Open the engine of that name or folder with its index, text tower and calibration, beside what is shared.

    Raises:
        ConfigError: there is no such engine, or its calibration cannot be read.
        EngineError: the engine does not load or does not give the vectors it promises.
        EngineMismatch: embedding services run another engine than the one in force.
        StoreError: the catalog or the index does not open.
    """
    with ExitStack() as opened:
        encoder = open_encoder_of(settings, engine)
        opened.callback(encoder.close)
        check_remote(encoder, shared.catalog)
        text = open_text(settings, engine, encoder)
        opened.callback(text.close)
        index = open_following_index(settings, shared.catalog, encoder)
        opened.callback(_close_index, index)
        fingerprint, verifier = encoder.spec.fingerprint, verifier_of(shared.local)
        beside = None if is_remote(engine) else engine_folder(settings, engine).path / "decision.json"
        note = shared.catalog.note(calibration_note(fingerprint))
        return Parts(
            decoder=shared.decoder,
            encoder=encoder,
            index=index,
            local=shared.local,
            catalog=shared.catalog,
            cache=shared.cache,
            blobs=shared.blobs,
            canary=partial(canary, encoder),
            calibration=load_calibration(note, beside, fingerprint=fingerprint, verifier=verifier),
            stale=stale_calibration(shared.catalog, fingerprint, verifier),
            identity=lambda: index.identity,
            text=text,
            close=opened.pop_all().close,
        )


def check_data_folder(folder: Path) -> None:
    """Make the data folder if it is missing, and write into it once.

    Raises:
        ConfigError: it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"the data folder {folder} cannot be used: {reason}; name another with --data") from error


def open_following_index(settings: Settings, catalog: Catalog, encoder: Encoder) -> RenewableIndex:
    """Open the index for the catalogue as it is now.

    Raises:
        StoreError: the catalog or the index does not open.
    """
    spec = encoder.spec
    opening = partial(open_index, settings.index_url_of(spec.fingerprint), dim=spec.dim)
    return RenewableIndex(lambda name: opening(fingerprint=name), catalog, fingerprint=spec.fingerprint)


def open_following_local_index(settings: Settings, catalog: Catalog, verifier: Verifier) -> RenewableLocalIndex:
    """Open the local index for the catalogue as it is now.

    Raises:
        StoreError: the catalog or the index does not open.
    """
    opening = partial(open_local, settings.local_url)
    return RenewableLocalIndex(lambda name: opening(fingerprint=name), catalog, fingerprint=verifier.fingerprint)


def verifier_of(local: LocalParts | None) -> str:
    """Return the fingerprint of the verifier, "" without one."""
    return "" if local is None else local.verifier.fingerprint


def reach_of(settings: Settings) -> Reach:
    """Return what imports of this process can read."""
    root = Path(settings.import_root) if settings.import_root else None
    return Reach(platform.node(), root, settings.import_stores)


def open_trade(arthur: Arthur) -> ImportTrade:
    """Return what knows how jobs are done, with the settings of an opened Arthur."""
    settings, queue = arthur.settings, arthur.catalog.queue
    courtesy = Courtesy(queue.turn, concurrency=settings.host_concurrency, delay_s=settings.host_delay_s)
    intake = Intake(reach_of(settings), Web(arthur.fetcher, courtesy), settings.max_image_bytes)
    return ImportTrade(arthur.recognizer, arthur.catalog, intake)


def open_worker(arthur: Arthur, trade: Trade, *, threads: int, only: int | None = None, nice: int = 0) -> Worker:
    """Return a worker that has not begun; `only` is the number of the one job that it works on."""
    offers, lease_s = reach_of(arthur.settings).offers, arthur.settings.job_lease_s
    return Worker(arthur.catalog.queue, trade, Terms(offers, threads, lease_s, only, nice))


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def _open_fetcher(settings: Settings) -> Fetcher:
    return Fetcher(
        max_bytes=settings.max_image_bytes,
        timeout_s=settings.fetch_timeout_s,
        retries=settings.fetch_retries,
        allow=settings.fetch_allow,
    )


def _reopen(settings: Settings, shared: Shared, fingerprint: str) -> Parts:
    return open_model(settings, engine_of(settings, shared.catalog, fingerprint), shared)


def _open_local(settings: Settings, catalog: Catalog, opened: ExitStack) -> LocalParts | None:
    """Open the verifier and the local index, unless the settings want none."""
    if not settings.local_url:
        return None
    verifier = open_verifier(settings.verifier)
    index = open_following_local_index(settings, catalog, verifier)
    opened.callback(_close_index, index)
    return LocalParts(verifier, index)


def options_of(settings: Settings) -> Options:
    """Return what a Recognizer obeys."""
    return Options(
        max_false_accept=settings.max_false_accept,
        batch_max=settings.batch_max,
        keep_originals=settings.keep_originals,
        thumbnail_side=settings.thumbnail_side,
    )


def _close_index(index: VectorIndex | LocalIndex) -> None:
    """Keep what the index has, if it can, and close it: the catalog has everything anyhow."""
    try:
        index.checkpoint()
    except StoreError as error:
        log.warning("checkpoint_failed", error=str(error))
    finally:
        index.close()
