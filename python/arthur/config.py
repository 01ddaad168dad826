"""Settings: from `arthur.toml`, then `ARTHUR_*` variables, then the command line; the last one wins.

Every part is chosen by a URL; the defaults run the whole product in one process beside one folder.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal, TypedDict

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from arthur.errors import ConfigError
from arthur.types import WantedRuntime

Positive = Annotated[int, Field(gt=0)]


class Running(TypedDict):
    """How an engine runs: arguments of `arthur.encode.open_engine`."""

    threads: int | None
    batch_max: int | None
    batch_wait_ms: float | None


class Settings(BaseSettings):
    """What an operator may set. Empty URLs mean the embedded part below `data`."""

    model_config = SettingsConfigDict(env_prefix="ARTHUR_", extra="forbid", frozen=True)

    data: Path = Field(Path("data"), description="Folder under which everything is kept")
    catalog: str = Field("", description="Catalog URL, sqlite: or postgresql:; empty is sqlite:///DATA/catalog.db")
    index: str = Field("", description="Index URL; empty is usearch:DATA/index; also exact:, pgvector:, qdrant:")
    index_standby: str = Field(
        "", description="URL of an index that answers while the other fails; empty scans small catalogues, none: is 503"
    )
    local: str = Field("", description="Local index URL; empty is inverted:DATA/local; none: answers by vectors alone")
    cache: str = Field("memory:?max_mb=64", description="Cache URL, memory: or valkey:")
    blobs: str = Field("", description="Blob store URL; empty is file://DATA/blobs")

    engine: str = Field(
        "arthur-mini",
        description="Engine of a catalogue without views: a name, or a folder with an engine.toml; "
        "or addresses of embedding services",
    )
    engine_threads: int = Field(0, ge=0, description="Threads of the CPU engine; 0 is one per core")
    embedder_listen: str = Field("http://127.0.0.1:9100", description="Where `arthur embedder serve` listens")
    runtime: WantedRuntime = Field("auto", description="What runs the engine; auto is the best that is installed")
    device: str = Field("auto", description="cpu, cuda or cuda:N; auto is a GPU where there is one")
    verifier: str = Field("sift:", description="Verifier of local features")
    batch_max: Positive = Field(8, description="Pictures embedded in one call at most")
    batch_wait_ms: float = Field(0.0, ge=0, le=1000, description="Time to wait for a fuller batch, milliseconds")

    keep_originals: bool = Field(False, description="Keep the uploaded files, so that another engine can embed them")
    thumbnail_side: int = Field(512, ge=0, le=2048, description="Longest side of thumbnails, pixels; 0 makes none")
    max_image_bytes: Positive = Field(25 * 2**20, description="Largest encoded picture, bytes")
    max_image_pixels: Positive = Field(100_000_000, description="Largest picture, pixels")

    max_false_accept: float = Field(0.001, gt=0, lt=1, description="Accepted probability that a match is wrong")

    server: Literal["robyn", "granian"] = Field("robyn", description="Web server; granian for direct exposure")
    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(9000, ge=1, le=65535, description="Port to listen on")
    tls_cert: Path | None = Field(None, description="Certificate chain (PEM); the server then speaks TLS; granian only")
    tls_key: Path | None = Field(None, description="Key of the certificate (PEM)")
    workers: int = Field(0, ge=0, le=64, description="Web processes; 0 is two, or one on a single core")
    admitted: int = Field(0, ge=0, description="Requests worked on or queued per worker; more get 429; 0 is 16 a core")
    turns: int = Field(
        0,
        ge=0,
        description="Pictures worked on at a time per worker; 0 is its share of the cores, 4 times that with a GPU",
    )
    queued: int = Field(0, ge=0, description="Requests that may wait for a turn per worker; 0 is 24 a turn")
    drain_s: float = Field(15.0, gt=0, description="Time for requests in flight to end when stopping, seconds")
    cors_origins: tuple[str, ...] = Field((), description="Origins allowed to call from a browser; * allows all")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")
    otlp: str = Field("", description="Collector of traces, such as http://collector:4318 (OTLP); empty traces nothing")
    trace_share: float = Field(
        1.0, ge=0, le=1, description="Share of requests that are traced unless the caller decides"
    )
    sentry: str = Field("", description="DSN of a Sentry project that is told of bugs; empty tells nobody")

    access: Literal["auto", "keys", "open"] = Field(
        "auto", description="auto: API keys are demanded once there is one; keys: always; open: never, on any address"
    )
    legacy_open: bool = Field(False, description="Leave the routes of Arthur 1 open to callers without a key")
    trusted_proxies: tuple[str, ...] = Field((), description="Networks (CIDR) whose X-Forwarded-For is believed")
    key_rate: str = Field("", description="Requests per key, such as 600/min; empty is no limit")
    address_rate: str = Field("", description="Requests per client address; empty is no limit")
    limiter: str = Field(
        "", description="Where requests are counted for the rates; empty is the cache's Valkey, or memory:"
    )
    audit_keep_days: int = Field(0, ge=0, description="Days after which a day of the audit log goes; 0 keeps all")

    match_log_days: int = Field(
        0, ge=0, le=3650, description="Days for which answers are logged, as hashes and ids; 0 logs none"
    )

    fetch_allow: tuple[str, ...] = Field((), description="Private networks (CIDR) from which pictures may be fetched")
    fetch_timeout_s: float = Field(10.0, gt=0, description="Time for one fetch with its redirects, seconds")
    fetch_retries: int = Field(2, ge=0, le=10, description="Further tries after a failed fetch")

    job_threads: int = Field(1, ge=0, le=64, description="Threads of each web process that work on jobs; 0: none")
    job_lease_s: float = Field(30.0, ge=1, le=3600, description="Time after which a dead worker's work is taken over")
    import_root: str = Field("", description="Folder below which callers over HTTP may import; empty: none")
    import_stores: tuple[str, ...] = Field((), description="Prefixes (s3://...) from which they may import")
    host_concurrency: Positive = Field(4, description="Pictures that an import fetches from one host at the same time")
    host_delay_s: float = Field(0.1, ge=0, le=600, description="Least time between two fetches from one host, seconds")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put `arthur.toml` of the working folder below the environment. See BaseSettings."""
        toml = TomlConfigSettingsSource(settings_cls, toml_file=Path("arthur.toml"))
        return init_settings, env_settings, toml

    @property
    def running(self) -> Running:
        """How the engine shall run; what nobody set is None, and left to the engine's tuning."""
        told = self.model_fields_set
        return {
            "threads": self.engine_threads if "engine_threads" in told else None,
            "batch_max": self.batch_max if "batch_max" in told else None,
            "batch_wait_ms": self.batch_wait_ms if "batch_wait_ms" in told else None,
        }

    @property
    def catalog_url(self) -> str:
        """The catalog URL in force."""
        return self.catalog or f"sqlite:///{self.data.resolve() / 'catalog.db'}"

    @property
    def audit_folder(self) -> Path:
        """Where the audit log is."""
        return self.data.resolve() / "audit"

    @property
    def limiter_url(self) -> str:
        """The URL of the limiter in force: a cache that is shared is shared for the rates too."""
        place, _, query = self.cache.partition("?")
        options = "&".join(option for option in query.split("&") if option and not option.startswith("front_mb="))
        shared = f"{place}?{options}" if options else place
        return self.limiter or (shared if "://" in place else "memory:")

    @property
    def index_url(self) -> str:
        """The index URL in force."""
        return self.index or f"usearch:{self.data.resolve() / 'index'}"

    def index_url_of(self, fingerprint: str) -> str:
        """The URL of one engine's index: its files lie in a folder of their own, so that engines' lie side by side."""
        return _of_engine(self.index_url, fingerprint)

    def standby_url_of(self, fingerprint: str) -> str:
        """The URL of the index that stands in for one engine's; empty for none."""
        return "" if self.index_standby == "none:" else _of_engine(self.index_standby, fingerprint)

    @property
    def local_url(self) -> str:
        """The URL of the local index in force; empty for none."""
        if self.local == "none:":
            return ""
        return self.local or f"inverted:{self.data.resolve() / 'local'}"

    @property
    def blobs_url(self) -> str:
        """The blob store URL in force."""
        return self.blobs or f"file://{self.data.resolve() / 'blobs'}"


def _of_engine(url: str, fingerprint: str) -> str:
    path, mark, options = url.partition("?")
    return f"{path}/{fingerprint[:16]}{mark}{options}" if path.startswith("usearch:") else url


def load_settings(**given: object) -> Settings:
    """Read the settings; `given` are the command line's, where None means not given.

    Raises:
        ConfigError: a value is unusable; the message names the setting and says why.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]  # checked by pydantic
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"setting {name!r}: {first['msg']}") from error
    except ValueError as error:
        raise ConfigError(f"arthur.toml or an ARTHUR_* variable cannot be read: {error}") from error


def packed_settings(settings: Settings) -> str:
    """Write settings as one line for another process, with the names of those that somebody set."""
    return json.dumps({"values": settings.model_dump(mode="json"), "told": sorted(settings.model_fields_set)})


def unpacked_settings(line: str) -> Settings:
    """Read what `packed_settings` wrote, whatever this process's own environment says."""
    packed = json.loads(line)
    values = Settings.model_validate(packed["values"])
    return Settings.model_construct(_fields_set=set(packed["told"]), **dict(values))
