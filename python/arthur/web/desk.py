"""Where requests wait for an answer: a bounded number in work at a time, and probes beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from arthur.web.app import App, Plan
from arthur.web.http import Response

_PROBES = 4


class Desk:
    """Runs plans on threads. `in_flight` and `answered` may be read from any thread; all else belongs to the loop."""

    def __init__(self, app: App, *, places: int) -> None:
        """Work on at most `places` requests at a time; those that need none have threads of their own."""
        self.app = app
        self._places = places
        self._taken = 0
        self.in_flight = 0
        self.answered = 0
        self._pool = ThreadPoolExecutor(places, "handler")
        self.probes = ThreadPoolExecutor(_PROBES, "probe")
        app.service.metrics.admitted(0, places)

    @contextmanager
    def visit(self) -> Iterator[None]:
        """Count a request from its arrival to its answer."""
        self.in_flight += 1
        try:
            yield
        finally:
            self.answered += 1
            self.in_flight -= 1

    def has_room_for(self, plan: Plan) -> bool:
        """Whether a request would find a place and a turn just now, or needs none."""
        route = plan.route
        if route is None or not route.admitted:
            return True
        return self._taken < self._places and not (route.turn and self.app.service.turns.refuses())

    async def answer(self, plan: Plan) -> Response:
        """Do what a plan says; without a place that is a refusal at once."""
        if plan.answer is not None:
            response = plan.answer
        elif not self.has_room_for(plan):
            response = self.app.refuse(plan)
        elif plan.route is not None and plan.route.admitted:
            response = await self._admitted(plan)
        else:
            response = await asyncio.get_running_loop().run_in_executor(self.probes, self.app.run, plan)
        return self.app.finish(plan, response)

    def close(self) -> None:
        """Begin nothing more. What runs is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.probes.shutdown(wait=False, cancel_futures=True)

    async def _admitted(self, plan: Plan) -> Response:
        self._count(1)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self.app.run, plan)
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        self._taken += change
        self.app.service.metrics.admitted(self._taken, self._places)
