"""Which engine a catalogue needs, where it lies, and opening it as the settings say."""

from __future__ import annotations

from pathlib import Path

import structlog

from arthur.catalog import Catalog
from arthur.config import Settings
from arthur.encode import Encoder, open_encoder
from arthur.encode.address import is_remote
from arthur.encode.folder import EngineFolder, find_fingerprint, find_folder
from arthur.encode.remote import RemoteEncoder
from arthur.encode.text import TextEncoder, TextTower
from arthur.errors import ConfigError, EngineMismatch

log = structlog.get_logger(__name__)


def engine_in_force(settings: Settings, catalog: Catalog) -> str:
    """Return the name or folder of the engine that the catalogue is embedded by; the setting's while it is empty.

    Embedding services are taken as they are; `open_model` compares what they run.

    The catalog has the last word, because vectors of another engine could not be compared with its own. A setting that
    names another engine is passed over with a line in the log.

    Raises:
        ConfigError: the engine in force is not on this machine.
        StoreError: the catalog does not answer.
    """
    fingerprint = "" if is_remote(settings.engine) else catalog.engine()
    return engine_of(settings, catalog, fingerprint) if fingerprint else settings.engine


def engine_of(settings: Settings, catalog: Catalog, fingerprint: str) -> str:
    """Return the name or folder of the engine with that fingerprint.

    Raises:
        ConfigError: it is not on this machine.
        StoreError: the catalog does not answer.
    """
    if is_remote(settings.engine):
        return settings.engine
    sources = [known.source for known in catalog.engines() if known.fingerprint == fingerprint]
    found = find_fingerprint(fingerprint, [settings.engine, *sources], folders=engine_folders(settings))
    if found is None:
        told = "".join(f" (it was {source})" for source in sources if source)
        raise ConfigError(f"the engine {fingerprint[:12]} of the catalogue is not on this machine{told}: bring it back")
    nobody_asked = settings.engine in (found.facts.name, Settings.model_fields["engine"].default)
    if not nobody_asked and Path(settings.engine) != found.path:
        log.warning("engine_setting_passed_over", setting=settings.engine, in_force=found.facts.name)
    return str(found.path.resolve())


def engine_folders(settings: Settings) -> tuple[Path, ...]:
    """Return the folders in which pulled engines lie, before those that are packaged."""
    return (settings.data.resolve() / "engines",)


def open_encoder_of(settings: Settings, engine: str) -> Encoder:
    """Load an engine as the settings say, or reach the services at its addresses.

    Raises:
        ConfigError, EngineError: see open_encoder.
    """
    return open_encoder(
        engine,
        **settings.running,
        folders=engine_folders(settings),
        runtime=settings.runtime,
        device=settings.device,
    )


def check_remote(encoder: Encoder, catalog: Catalog) -> None:
    """Refuse embedding services that run another engine than the one in force.

    Raises:
        EngineMismatch: they do.
        StoreError: the catalog does not answer.
    """
    in_force = catalog.engine()
    if isinstance(encoder, RemoteEncoder) and in_force not in ("", encoder.spec.fingerprint):
        raise EngineMismatch(
            f"the embedding services run {encoder.spec.label}, and the catalogue is embedded by {in_force[:12]}"
        )


def open_text(settings: Settings, engine: str, encoder: Encoder) -> TextEncoder:
    """Return the text tower of the engine, wherever that runs."""
    if isinstance(encoder, RemoteEncoder):
        return encoder
    return TextTower(engine_folder(settings, engine), threads=settings.engine_threads)


def engine_folder(settings: Settings, engine: str) -> EngineFolder:
    """Return the engine of that name, or at that path. Raises ConfigError where there is none."""
    return find_folder(engine, folders=engine_folders(settings))
