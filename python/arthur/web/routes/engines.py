"""Engines that are installed here, and the calibration by which photos are decided about."""

from __future__ import annotations

from arthur.encode import folder
from arthur.in_force import engine_folders
from arthur.web.engine_answers import CalibrationOut, EnginesOut
from arthur.web.http import Request, Response, json_response
from arthur.web.routing import Doc, Route
from arthur.web.service import Service


def list_engines(service: Service, request: Request) -> Response:
    """List the engines that come with Arthur or were pulled."""
    running = str(service.recognizer.status()["engine"]).partition("@")[0]
    found = folder.engine_folders(engine_folders(service.settings))
    rows = [{**_members(engine), "in_use": engine.facts.name == running} for engine in found]
    return json_response({"engines": sorted(rows, key=lambda row: str(row["name"]))})


def show_calibration(service: Service, request: Request) -> Response:
    """Show the calibration in force, and how well it foretold photos it was not fitted on."""
    calibration, settings = service.recognizer.calibration, service.settings
    made = dict(calibration.provenance)
    measured, curve = made.pop("held_out", None), made.pop("reliability", None)
    return json_response(
        {
            "for_catalogue": calibration.for_catalogue,
            "max_false_accept": settings.max_false_accept,
            "held_out": measured,
            "reliability": curve,
            "provenance": made,
        }
    )


def _members(engine: folder.EngineFolder) -> dict[str, object]:
    facts = engine.facts
    return {
        "name": facts.name,
        "licence": facts.licence,
        "side": facts.side,
        "dim": facts.dim,
        "reads_text": facts.text is not None,
        "ready": engine.ready,
        "source": facts.source.repository if facts.source else "",
    }


ROUTES = (
    Route(
        "GET", "/api/v1/engines", list_engines, Doc("List engines", "service", answers={200: EnginesOut}), scope="read"
    ),
    Route(
        "GET",
        "/api/v1/calibration",
        show_calibration,
        Doc("The calibration in force", "service", answers={200: CalibrationOut}),
        scope="read",
    ),
)
