"""The one explicit route table."""

from __future__ import annotations

from arthur.web.routes import analytics, artists, engines, jobs, legacy, likenesses, match, pages, search, state, views
from arthur.web.routing import Route, Table

__all__ = ["all_routes", "route_table"]


def all_routes() -> tuple[Route, ...]:
    """Return every route Arthur answers."""
    return (
        *legacy.ROUTES,
        *match.ROUTES,
        *search.ROUTES,
        *views.ROUTES,
        *artists.ROUTES,
        *analytics.ROUTES,
        *likenesses.ROUTES,
        *engines.ROUTES,
        *jobs.ROUTES,
        *state.ROUTES,
        *pages.ROUTES,
    )


def route_table() -> Table:
    """Return the table of all routes."""
    return Table(all_routes())
