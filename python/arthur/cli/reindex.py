"""`arthur reindex`: make sure that the index equals the catalog, or move the catalogue to another engine."""

from __future__ import annotations

import shutil
import sys
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arthur.cli.options import Data, Json
from arthur.cli.output import answer, progress_bar, steps
from arthur.cli.session import session
from arthur.errors import BadRequest, ConfigError, EngineError

if TYPE_CHECKING:
    from arthur.assemble import Arthur
    from arthur.jobs.changing import ModelChange
    from arthur.recognition.parts import Options, Parts

NewEngine = Annotated[
    str | None,
    typer.Option("--engine", help="Move the catalogue to this engine: a name, or a folder with an engine.toml."),
]
Rate = Annotated[float, typer.Option(min=0, help="Pictures embedded a second at most; 0 is no limit.")]
Share = Annotated[float, typer.Option(min=0.01, max=1, help="Share of the time that embedding may work.")]
Shadow = Annotated[int, typer.Option(min=0, max=100_000, help="Photos asked of both engines; 0 asks none.")]
Photos = Annotated[Path | None, typer.Option(help="Folder of your own photos to ask instead of simulated ones.")]
Report = Annotated[
    Path | None, typer.Option(help="Folder for the report of changed answers.", show_default="DATA/model-change")
]
Calibrate = Annotated[int, typer.Option(min=0, help="Photos to calibrate the new engine on before; 0 does not.")]
Switch = Annotated[bool, typer.Option("--switch", help="Put the engine in force without asking.")]
Rollback = Annotated[bool, typer.Option("--rollback", help="Put the engine in force that was before.")]
Prune = Annotated[bool, typer.Option("--prune", help="Drop vectors and indices of engines that are not in force.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a change is to be made; see the options."""

    rate: float
    share: float
    shadow: int
    photos: Path | None
    report: Path | None
    calibrate: int


def reindex(
    *,
    engine: NewEngine = None,
    rate: Rate = 0.0,
    share: Share = 1.0,
    shadow: Shadow = 200,
    photos: Photos = None,
    report: Report = None,
    calibrate: Calibrate = 0,
    switch: Switch = False,
    rollback: Rollback = False,
    prune: Prune = False,
    yes: Yes = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Rebuild the index if it differs from the catalog; with --engine, move the catalogue to another engine."""
    if sum((engine is not None, rollback, prune)) > 1:
        raise BadRequest("--engine, --rollback and --prune exclude each other")
    with session(data=data) as arthur:
        if prune:
            _prune(arthur, sure=yes, json=json)
        elif rollback:
            _roll_back(arthur, json=json)
        elif engine is None or _is_in_force(arthur, engine):
            _rebuild(arthur, json=json)
        else:
            wishes = Wishes(rate, share, shadow, photos, report, calibrate)
            _move(arthur, engine, wishes, sure=switch or yes, json=json)


def _rebuild(arthur: Arthur, *, json: bool) -> None:
    """Embed what the engine in force lacks, which only an older Arthur left behind, and mend the indices."""
    from arthur.jobs.embedding import Embedding, Tally

    with progress_bar("embed") as advance:
        tally = Embedding(arthur.parts)(steps(advance), Tally())
    for name, reason in tally.failed.values():
        typer.echo(f"{name} was never embedded by {arthur.encoder.spec.label}, and cannot be: {reason}", err=True)
    with progress_bar("index") as advance:
        views = arthur.recognizer.reindex(steps(advance))
    answer({"views": views}, f"{views} views are indexed", json=json)


def _is_in_force(arthur: Arthur, engine: str) -> bool:
    """Return whether the named engine is the one that is open.

    Raises:
        ConfigError: there is no such engine, or it was not pulled.
    """
    from arthur.encode.folder import find_folder
    from arthur.in_force import engine_folders

    try:
        spec = find_folder(engine, folders=engine_folders(arthur.settings)).spec()
    except EngineError as error:
        raise ConfigError(str(error)) from error
    return spec.fingerprint == arthur.encoder.spec.fingerprint


def _move(arthur: Arthur, engine: str, wishes: Wishes, *, sure: bool, json: bool) -> None:
    """Make everything ready beside what is in force, tell what would change, and switch if that is wanted."""
    from arthur.jobs.changing import ModelChange
    from arthur.jobs.embedding import Throttle

    if not arthur.catalog.counts().views:
        raise ConfigError("the catalogue has no views: its first one puts the engine of the setting in force")
    parts = _opened(arthur, engine)
    with closing(parts):
        change = ModelChange(parts, throttle=Throttle(rate=wishes.rate, share=wishes.share))
        told = _prepared(change)
        if wishes.calibrate:
            parts = _calibrated(arthur, parts, wishes.calibrate)
        told |= _shadowed(arthur, parts, wishes, json=json)
        switched = sure or (sys.stdin.isatty() and typer.confirm("Put the new engine in force?", err=True))
        if switched:
            _switch(arthur, parts, change)
    line = f"{parts.encoder.spec.label} is in force"
    ready = f"{parts.encoder.spec.label} is ready beside the engine in force; run this again with --switch"
    answer({**told, "switched": switched}, line if switched else ready, json=json)


def _roll_back(arthur: Arthur, *, json: bool) -> None:
    """Give views that were put since a vector of the engine before, and switch back."""
    from arthur.in_force import engine_of
    from arthur.jobs.changing import ModelChange

    before = [known for known in arthur.catalog.engines() if known.previous]
    if not before:
        raise BadRequest("there is no engine to go back to: none was in force before, or its vectors were dropped")
    parts = _opened(arthur, engine_of(arthur.settings, arthur.catalog, before[0].fingerprint))
    with closing(parts):
        change = ModelChange(parts)
        told = _prepared(change)
        _switch(arthur, parts, change)
    answer({**told, "switched": True}, f"{parts.encoder.spec.label} is in force again", json=json)


def _switch(arthur: Arthur, parts: Parts, change: ModelChange) -> None:
    """Let the servers open the engine, tell how that went, and put it in force."""
    from arthur.jobs import announcing

    with announcing.announced(arthur.catalog.signs, parts.encoder.spec.fingerprint, announcing.WAITS) as servers:
        typer.echo(f"{servers.ready} server processes have opened {parts.encoder.spec.label}", err=True)
        for who, reason in servers.failed.items():
            typer.echo(f"{who} cannot open it: {reason}", err=True)
        if servers.loading:
            typer.echo(f"{servers.loading} are still opening it, and are not waited for any longer", err=True)
        change.switch()


def _prune(arthur: Arthur, *, sure: bool, json: bool) -> None:
    """Drop what belongs to engines that are not in force."""
    gone = [known for known in arthur.catalog.engines() if not known.in_force]
    vectors = sum(known.vectors for known in gone)
    if gone and not sure:
        if not sys.stdin.isatty():
            raise BadRequest(f"{vectors} vectors of {len(gone)} engines would be dropped for good; say --yes to do it")
        typer.confirm(f"Drop {vectors} vectors of {len(gone)} engines for good?", abort=True, err=True)
    for known in gone:
        arthur.catalog.drop_vectors(known.fingerprint)
        settings = arthur.settings
        for url in (settings.index_url_of(known.fingerprint), settings.standby_url_of(known.fingerprint)):
            if url.startswith("usearch:"):
                shutil.rmtree(url.removeprefix("usearch:").partition("?")[0], ignore_errors=True)
    answer({"engines": len(gone), "vectors": vectors}, f"{vectors} vectors of {len(gone)} engines dropped", json=json)


def _opened(arthur: Arthur, engine: str) -> Parts:
    """Open an engine that is not in force, with its own index, beside the one that is.

    Raises:
        ConfigError: there is none, or it does not load.
    """
    from arthur.assemble import open_model

    try:
        return open_model(arthur.settings, engine, arthur.shared)
    except EngineError as error:
        raise ConfigError(str(error)) from error


def _prepared(change: ModelChange) -> dict[str, object]:
    """Embed and index, and return the figures."""
    with progress_bar("embed") as advance:
        change.embed(steps(advance))
    with progress_bar("index") as advance:
        views = change.index(steps(advance))
    tally = change.tally
    typer.echo(
        f"embedded {tally.embedded} views now ({tally.originals} from originals, {tally.thumbnails} from thumbnails); "
        f"{views} are indexed",
        err=True,
    )
    return {
        "embedded": tally.embedded,
        "from_originals": tally.originals,
        "from_thumbnails": tally.thumbnails,
        "views": views,
    }


def _calibrated(arthur: Arthur, parts: Parts, photos: int) -> Parts:
    """Fit the decision of the new engine, and remember it under its fingerprint."""
    from arthur.calibration.kept import calibration_note
    from arthur.calibration.operation import Workshop, calibrate_catalogue, document
    from arthur.recognizer import Recognizer

    recognizer = Recognizer(parts, _options(arthur))
    fingerprint = parts.encoder.spec.fingerprint
    workshop = Workshop(recognizer, arthur.catalog, arthur.blobs, fingerprint, recognizer.verifier or "")
    with progress_bar("calibrate") as advance:
        fitted, _ = calibrate_catalogue(workshop, photos=photos, seed=1, progress=steps(advance))
    arthur.catalog.put_note(calibration_note(fingerprint), document(fitted))
    return replace(parts, calibration=fitted)


def _shadowed(arthur: Arthur, parts: Parts, wishes: Wishes, *, json: bool) -> dict[str, object]:
    """Ask both engines the same photos, write the report, and return the summary."""
    from arthur.jobs import shadow
    from arthur.recognizer import Recognizer

    if not wishes.shadow:
        return {}
    if wishes.photos is None:
        photos = shadow.simulated(arthur.catalog, arthur.blobs, count=wishes.shadow, seed=1)
    else:
        photos = shadow.photos_in(wishes.photos, most=wishes.shadow)
    after = Recognizer(parts, _options(arthur))
    flips = []
    with progress_bar("shadow") as advance:
        for flip in shadow.compared(photos, arthur.recognizer, after):
            flips.append(flip)
            advance(len(flips), wishes.shadow)
    told = shadow.summary(flips, before=arthur.encoder.spec.label, after=parts.encoder.spec.label)
    folder = wishes.report or arthur.settings.data / "model-change"
    shadow.write(folder, flips, told)
    if not json:
        typer.echo(f"{shadow.lines(told)}\n  every answer: {folder / 'flips.parquet'}")
    return {"report": told, "report_folder": str(folder)}


def _options(arthur: Arthur) -> Options:
    from arthur.assemble import options_of

    return options_of(arthur.settings)
