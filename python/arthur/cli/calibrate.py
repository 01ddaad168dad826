"""`arthur calibrate`: fit the decision to the operator's own catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arthur.cli.options import Data, Engine, Json
from arthur.cli.output import answer, progress_bar, steps
from arthur.cli.session import session


def calibrate(
    *,
    photos: Annotated[int, typer.Option(min=20, max=100_000, help="Photos to simulate.")] = 1500,
    seed: Annotated[int, typer.Option(help="The same seed and catalogue give the same photos.")] = 1,
    plot: Annotated[Path | None, typer.Option(help="Where to write the reliability curve, SVG.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure, but keep the calibration in force.")] = False,
    data: Data = None,
    engine: Engine = None,
    json: Json = False,
) -> None:
    """Photograph the catalogue by simulation, learn when an answer is right, and keep that as its calibration."""
    from arthur.calibration.kept import calibration_note
    from arthur.calibration.operation import Workshop, calibrate_catalogue, document
    from arthur.calibration.plot import reliability_svg

    with session(data=data, engine=engine) as arthur, progress_bar("calibrate") as advance:
        fingerprint = arthur.encoder.spec.fingerprint
        workshop = Workshop(
            arthur.recognizer, arthur.catalog, arthur.blobs, fingerprint, arthur.recognizer.verifier or ""
        )
        fitted, reliability = calibrate_catalogue(workshop, photos=photos, seed=seed, progress=steps(advance))
        if not dry_run:
            arthur.catalog.put_note(calibration_note(fingerprint), document(fitted))
    if plot is not None:
        title = f"{arthur.encoder.spec.label}: {reliability.known + reliability.unknown} trials"
        plot.write_text(reliability_svg(reliability, title), encoding="utf-8")
    kept = "not kept" if dry_run else "kept; servers take it up when they are started again"
    line = (
        f"calibrated on {reliability.known} photos: {reliability.first:.1%} first, {reliability.matched:.1%} matched; "
        f"{reliability.false_accepts:.2%} of {reliability.unknown} unknown works accepted; "
        f"calibration error {reliability.error:.3f} ({kept})"
    )
    answer({**reliability.members(), "kept": not dry_run}, line, json=json)
