"""The one place where settings become objects."""

from __future__ import annotations

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
from arthur.calibration.kept import load_calibration, parse_calibration
from arthur.catalog import Catalog, open_catalog
from arthur.config import Settings
from arthur.decision import Calibration
from arthur.decode import ImageDecoder, Limits
from arthur.encode import Encoder, canary, open_encoder
from arthur.encode.folder import EngineFolder, find_folder
from arthur.encode.text import TextTower
from arthur.errors import ConfigError, StoreError
from arthur.fetch import Fetcher
from arthur.index import VectorIndex, open_index
from arthur.local import LocalIndex, open_local
from arthur.recognition.parts import LocalParts, Options, Parts
from arthur.recognition.renewal import RenewableIndex, RenewableLocalIndex
from arthur.recognizer import Recognizer
from arthur.verify import Verifier, open_verifier

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Arthur:
    """Everything a web worker or a command needs, opened. A context manager that closes what it opened."""

    settings: Settings
    catalog: Catalog
    index: VectorIndex
    cache: Cache
    blobs: Blobs
    encoder: Encoder
    decoder: ImageDecoder
    fetcher: Fetcher
    recognizer: Recognizer
    _opened: ExitStack = field(repr=False)

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
        blobs = open_blobs(settings.blobs_url)
        encoder = _open_encoder(settings)
        opened.callback(encoder.close)
        text = TextTower(_engine_folder(settings), threads=settings.engine_threads)
        opened.callback(text.close)
        index = open_following_index(settings, catalog, encoder)
        opened.callback(_close_index, index)
        local = _open_local(settings, catalog, opened)
        fetcher = _open_fetcher(settings)
        opened.callback(fetcher.close)
        decoder = ImageDecoder(Limits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels))
        parts = Parts(
            decoder=decoder,
            encoder=encoder,
            index=index,
            local=local,
            catalog=catalog,
            cache=cache,
            blobs=blobs,
            canary=partial(canary, encoder),
            calibration=_calibration(settings, catalog, encoder.spec.fingerprint, verifier_of(local)),
            stale=stale_calibration(catalog, encoder.spec.fingerprint, verifier_of(local)),
            identity=lambda: index.identity,
            text=text,
        )
        recognizer = Recognizer(parts, _options(settings))
        kept = opened.pop_all()
        return Arthur(settings, catalog, index, cache, blobs, encoder, decoder, fetcher, recognizer, kept)


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


def engine_folders(settings: Settings) -> tuple[Path, ...]:
    """Return the folders in which pulled engines lie, before those that are packaged."""
    return (settings.data.resolve() / "engines",)


def open_following_index(settings: Settings, catalog: Catalog, encoder: Encoder) -> RenewableIndex:
    """Open the index for the catalogue as it is now.

    Raises:
        StoreError: the catalog or the index does not open.
    """
    spec = encoder.spec
    opening = partial(open_index, settings.index_url, dim=spec.dim)
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


def stale_calibration(catalog: Catalog, fingerprint: str, verifier: str) -> str:
    """Return why the catalogue's own calibration of this engine must be made anew, "" when it need not.

    Raises:
        ConfigError: it cannot be read.
        StoreError: the catalog does not answer.
    """
    note = catalog.note(calibration_note(fingerprint))
    if note is None:
        return ""
    own = parse_calibration(note, source="the calibration kept in the catalog")
    return "" if own.verifier == verifier else "it was made with another verifier; run `arthur calibrate`"


def calibration_note(fingerprint: str) -> str:
    """Return the name under which the catalog keeps the calibration of an engine."""
    return f"calibration:{fingerprint}"


def _open_fetcher(settings: Settings) -> Fetcher:
    return Fetcher(
        max_bytes=settings.max_image_bytes,
        timeout_s=settings.fetch_timeout_s,
        retries=settings.fetch_retries,
        allow=settings.fetch_allow,
    )


def _open_encoder(settings: Settings) -> Encoder:
    return open_encoder(
        settings.engine,
        threads=settings.engine_threads,
        batch_max=settings.batch_max,
        batch_wait_ms=settings.batch_wait_ms,
        folders=engine_folders(settings),
        runtime=settings.runtime,
        device=settings.device,
    )


def _engine_folder(settings: Settings) -> EngineFolder:
    return find_folder(settings.engine, folders=engine_folders(settings))


def _open_local(settings: Settings, catalog: Catalog, opened: ExitStack) -> LocalParts | None:
    """Open the verifier and the local index, unless the settings want none."""
    if not settings.local_url:
        return None
    verifier = open_verifier(settings.verifier)
    index = open_following_local_index(settings, catalog, verifier)
    opened.callback(_close_index, index)
    return LocalParts(verifier, index)


def _calibration(settings: Settings, catalog: Catalog, fingerprint: str, verifier: str) -> Calibration:
    """Return the calibration from the catalog, from beside the engine, or the shipped one."""
    beside = _engine_folder(settings).path / "decision.json"
    note = catalog.note(calibration_note(fingerprint))
    return load_calibration(note, beside, fingerprint=fingerprint, verifier=verifier)


def _options(settings: Settings) -> Options:
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
