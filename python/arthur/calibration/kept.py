"""Calibrations as they are kept: shipped with Arthur, beside an engine, or in the catalogue."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from arthur.catalog import Catalog
from arthur.decision import GEOMETRY_INPUTS, SCORE_INPUTS, Calibration, Logistic
from arthur.errors import ConfigError


def default_calibration() -> Calibration:
    """Return the coefficients that ship with Arthur; `bench/decision.py` fitted them."""
    return parse_calibration(resources.files("arthur").joinpath("decision.json").read_text(), source="decision.json")


def load_calibration(note: str | None, shipped: Path | None, *, fingerprint: str, verifier: str) -> Calibration:
    """Return the best calibration there is for an engine and a verifier.

    Args:
        note: what the catalogue remembers, fitted on the operator's own works; None when nothing was fitted.
        shipped: a `decision.json` beside the engine; need not exist.
        fingerprint: of the engine. A calibration of another engine is passed over.
        verifier: fingerprint of the verifier, "" without one. A calibration with another verifier, or over other inputs
            than today's, is passed over.

    Raises:
        ConfigError: a calibration that would be taken cannot be read.
    """
    texts = [("the calibration kept in the catalog", note)]
    if shipped is not None and shipped.is_file():
        texts.append((str(shipped), shipped.read_text(encoding="utf-8")))
    for source, text in texts:
        if text is None:
            continue
        found = parse_calibration(text, source=source)
        if (found.fingerprint, found.verifier) == (fingerprint, verifier) and _is_over_todays_inputs(found):
            return found
    return default_calibration()


def _is_over_todays_inputs(calibration: Calibration) -> bool:
    logistics = ((calibration.by_score, SCORE_INPUTS), (calibration.by_geometry, GEOMETRY_INPUTS))
    return all(logistic.weights.keys() == set(names) for logistic, names in logistics)


def parse_calibration(text: str, *, source: str) -> Calibration:
    """Read a calibration from JSON; `source` names it in errors.

    Raises:
        ConfigError: it is not JSON of the expected form.
    """
    try:
        members = json.loads(text)
        by_score, by_geometry = (Logistic(**members.pop(name)) for name in ("by_score", "by_geometry"))
        return Calibration(by_score, by_geometry, **members)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(f"{source} is not a calibration: {error}") from error


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
    if own.verifier != verifier:
        return "it was made with another verifier; run `arthur calibrate`"
    return "" if _is_over_todays_inputs(own) else "it was made by another version; run `arthur calibrate`"


def calibration_note(fingerprint: str) -> str:
    """Return the name under which the catalog keeps the calibration of an engine."""
    return f"calibration:{fingerprint}"
