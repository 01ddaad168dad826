"""Port of the engines: uint8 squares in, unit float32 vectors out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from arthur.encode.address import is_remote
from arthur.encode.golden import distances, picture
from arthur.encode.spec import EngineSpec
from arthur.errors import EngineError
from arthur.types import Pixels, Vectors, WantedRuntime

if TYPE_CHECKING:
    from arthur.encode.batch import Batched

__all__ = ["Encoder", "EngineSpec", "canary", "open_encoder", "open_engine"]

_CANARY_TOLERANCE = 1e-2
"""Wide enough for a quantised graph, whose rows depend a little on their neighbours; a broken one is far off."""


class Encoder(Protocol):
    """A loaded engine. Every method may be called from any thread at any time."""

    @property
    def spec(self) -> EngineSpec:
        """What the engine is, and the fingerprint that marks its vectors."""
        ...

    def encode(self, pixels: Pixels) -> Vectors:
        """Embed `(n, side, side, 3)` uint8 RGB squares, n >= 1, into `(n, dim)` float32 unit rows, in order.

        Blocks, with the GIL released while the engine runs.

        Raises:
            EngineError: the engine failed or is closed, the pixels are not of that form, or an output row is not
                finite.
            Overloaded: a bounded queue in front of the engine is full.
        """
        ...

    def close(self) -> None:
        """Free the engine; calls in flight end first. Closing twice is allowed."""
        ...


def open_encoder(
    engine: str,
    *,
    threads: int | None = None,
    batch_max: int | None = None,
    batch_wait_ms: float | None = None,
    folders: tuple[Path, ...] = (),
    runtime: WantedRuntime = "auto",
    device: str = "auto",
) -> Encoder:
    """Load an engine (see open_engine), or reach the embedding services at the addresses that `engine` names.

    Addresses are `http://host:port` or `unix:/path`, separated by commas; the other arguments are then of no effect.

    Raises:
        ConfigError: there is no such engine, its `engine.toml` is wrong, or an address is.
        EngineError: it cannot be loaded, or does not give the vectors it promises; no service answers.
    """
    if is_remote(engine):
        from arthur.encode.remote import RemoteEncoder

        return RemoteEncoder(engine)
    return open_engine(
        engine,
        threads=threads,
        batch_max=batch_max,
        batch_wait_ms=batch_wait_ms,
        folders=folders,
        runtime=runtime,
        device=device,
    )


def open_engine(
    engine: str,
    *,
    threads: int | None = None,
    batch_max: int | None = None,
    batch_wait_ms: float | None = None,
    folders: tuple[Path, ...] = (),
    runtime: WantedRuntime = "auto",
    device: str = "auto",
) -> Batched:
    """Load the engine of that name, or at that path, with concurrent calls gathered into batches.

    What is None is what `arthur engines tune` found best on this machine, or where it was not run one thread per core
    and batches of 8 without waiting.

    Args:
        engine: its name, or the path of its folder.
        threads: of a CPU engine; 0 is one per core.
        batch_max: pictures in one run at most.
        batch_wait_ms: time to wait for a fuller batch.
        folders: hold pulled engines, one folder each, and come before those that are packaged with Arthur.
        runtime: what runs the engine; auto is the best that is installed.
        device: `cpu`, `cuda` or `cuda:N`; auto is a GPU where there is one.

    The engine's files and golden vectors are checked first. Why it runs where it does is logged.

    Raises:
        ConfigError: there is no such engine, its `engine.toml` is wrong, or runtime or device are not there.
        EngineError: it cannot be loaded, or does not give the vectors it promises.
    """
    from arthur.encode.batch import Batched
    from arthur.encode.folder import find_folder
    from arthur.encode.opening import chosen, open_on
    from arthur.encode.tuned import running, tuning_here

    folder = find_folder(engine, folders=folders)
    target = chosen(folder, runtime, device, folders=folders)
    tuning = tuning_here(folder.facts, target)
    run = running(tuning, threads=threads, batch_max=batch_max, batch_wait_ms=batch_wait_ms)
    target = replace(target, batch_max=run.batch_max, streams=run.streams)
    encoder = open_on(folder, target, threads=run.threads, strict=runtime != "auto")
    return Batched(encoder, batch_max=run.batch_max, wait_ms=run.batch_wait_ms, lanes=target.lanes)


def canary(encoder: Encoder) -> None:
    """Embed the fixed picture, and compare the vector with the one it gave when the engine was loaded.

    Raises:
        EngineError: the engine failed, or gave another vector.
        Overloaded: the queue in front of the engine is full.
    """
    vector = encoder.encode(picture(encoder.spec.side))
    loaded = np.frombuffer(encoder.spec.canary, dtype=np.float32).reshape(-1, encoder.spec.dim)
    expected = loaded if len(loaded) else vector
    if not (distance := float(distances(vector, expected).max())) <= _CANARY_TOLERANCE:
        raise EngineError(
            f"engine {encoder.spec.label}: the fixed picture's vector moved by {distance:.2g} (1 - cosine) since load"
        )
