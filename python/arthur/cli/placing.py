"""Where `arthur engines build` and `verify` let an engine run, and how far its plan is, on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arthur.encode.building import Place
    from arthur.encode.folder import EngineFolder
    from arthur.types import Runtime


@contextmanager
def placed(folder: EngineFolder, runtime: Runtime | None, device: str, *, batch_max: int) -> Iterator[Place | None]:
    """Choose the place, None without a runtime, and show a bar for every phase of a build while the block runs.

    Raises:
        ConfigError: the runtime or the device is not there.
    """
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from arthur.encode.building import Place
    from arthur.encode.opening import chosen

    if runtime is None:
        yield None
        return
    target = chosen(folder, runtime, device, batch_max=batch_max)
    with Progress(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def told(phase: str, done: int, steps: int) -> None:
            if phase not in tasks:
                tasks[phase] = bars.add_task(phase, total=steps)
            bars.update(tasks[phase], completed=done, total=steps)

        yield Place(target, told)
