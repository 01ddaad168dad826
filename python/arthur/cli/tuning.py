"""`arthur engines tune`: finds the settings with which an engine runs best on this machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from arthur.cli.building import Device, Name, Pictures, Runtime, found_folder, squares
from arthur.cli.engines import Data, Json, pulled_folder
from arthur.cli.output import answer, progress_bar
from arthur.errors import ConfigError

if TYPE_CHECKING:
    from arthur.encode.spec import Variant
    from arthur.encode.tuning import Tuned

_ON_CPUS: tuple[Variant, ...] = ("fp32", "bf16", "int8")
_ON_GPUS: tuple[Variant, ...] = ("fp16", "bf16", "fp32", "int8", "fp8")
_USUAL_ON_GPUS = 3
"""How many of these are tried unasked: int8 and fp8 want pictures to be calibrated on."""
_UNSTEADY = 1.5
"""How many times the least throughput the greatest may be before the figures are doubted."""


def tune_command(
    engine: Name,
    goal_ms: Annotated[float, typer.Option(min=0.1, help="Latency that 95 % of the pictures must not exceed.")] = 100.0,
    precision: Annotated[
        list[str] | None, typer.Option(help="May be used; may be repeated.", show_default="all that run here")
    ] = None,
    threads: Annotated[
        list[int] | None, typer.Option(min=1, help="To try; may be repeated.", show_default="1 and one per core")
    ] = None,
    batch: Annotated[
        list[int] | None, typer.Option(min=1, max=256, help="To try; may be repeated.", show_default="1, 2, 4, 8, 16")
    ] = None,
    wait_ms: Annotated[
        list[float] | None, typer.Option(min=0, max=1000, help="To try; may be repeated.", show_default="0, 2, 5")
    ] = None,
    streams: Annotated[
        list[int] | None,
        typer.Option(min=1, max=16, help="Batches at a time, to try; may be repeated.", show_default="as fits"),
    ] = None,
    clients: Annotated[int, typer.Option(min=1, max=1024, help="Clients that ask without pause.")] = 64,
    seconds: Annotated[float, typer.Option(min=0.05, help="Length of one load.")] = 2.0,
    repeats: Annotated[int, typer.Option(min=1, help="How often everything is measured.")] = 5,
    runtime: Runtime = None,
    device: Device = "cuda",
    pictures: Pictures = None,
    data: Data = None,
    *,
    as_json: Json = False,
) -> None:
    """Measure precisions, threads, streams, batches and waiting under load, and keep the best that meets a goal."""
    from arthur.encode.building import runnable
    from arthur.encode.opening import chosen
    from arthur.encode.sweep import Grid
    from arthur.encode.tuning import Goal, described, tune
    from arthur.processors import usable_cores

    into = pulled_folder(data)
    folder = found_folder(engine, into)
    target = None if runtime is None else chosen(folder, runtime, device)
    if target is not None and target.gpu is None:
        raise ConfigError("a --runtime is tuned on a GPU; on the CPU leave it out, and every precision has its own")
    cores = tuple(sorted({1, usable_cores()}))
    usual = Grid(threads=cores, streams=cores, threads_max=max(*cores, *(threads or ())))
    if target is not None:
        usual = Grid(threads=(1,), batches=(1, 4, 16, 64), streams=(1, 2, 3))
    grid = dataclasses.replace(
        usual,
        threads=tuple(sorted(set(threads or usual.threads))),
        batches=tuple(sorted(set(batch or usual.batches))),
        waits_ms=tuple(sorted(set(wait_ms or usual.waits_ms))),
        streams=tuple(sorted(set(streams or usual.streams))),
        clients=clients,
        seconds=seconds,
        repeats=repeats,
    )
    known = _ON_CPUS if target is None else _ON_GPUS
    wanted = _precisions(precision, known) or (runnable(folder) if target is None else known[:_USUAL_ON_GPUS])
    goal = Goal(goal_ms, tuple(dict.fromkeys(wanted)), grid, target=target)
    with progress_bar(f"tuning {engine}") as advance:
        tuned = tune(engine, goal, into=into, advance=advance, pictures=squares(pictures, folder))
    for left_out, why in tuned.left_out.items():
        typer.echo(f"{left_out} was left out: {why}", err=True)
    per_s = tuned.best.per_s
    if per_s.most > _UNSTEADY * per_s.least:
        typer.echo(
            f"figures range from {per_s.least:.1f} to {per_s.most:.1f}: other work disturbs; tune again", err=True
        )
    answer(_row(tuned), f"{engine} runs best in {described(tuned.best)}; see {tuned.folder.path}", json=as_json)


def _precisions(given: list[str] | None, known: Sequence[Variant]) -> list[Variant]:
    """Check the precisions that were asked for; Typer has no lists of choices."""
    by_name: dict[str, Variant] = {one: one for one in known}
    if unknown := [one for one in given or () if one not in by_name]:
        raise ConfigError(f"precision {unknown[0]!r} is none of {', '.join(by_name)}")
    return [by_name[one] for one in given or ()]


def _row(tuned: Tuned) -> dict[str, object]:
    """Return what was found as a JSON object."""
    facts = tuned.folder.facts
    return {
        "name": facts.name,
        "precision": tuned.best.setting.graph.precision,
        **(facts.tuning.model_dump() if facts.tuning else {}),
        "left_out": dict(tuned.left_out),
        "path": str(tuned.folder.path),
    }
