"""How jobs are done, put together from settings: what a process can read, and workers that take jobs."""

from __future__ import annotations

import platform
from pathlib import Path

from arthur.assemble import Arthur
from arthur.config import Settings
from arthur.jobs.courtesy import Courtesy
from arthur.jobs.reading import Web
from arthur.jobs.specs import Reach
from arthur.jobs.trade import ImportTrade, Intake
from arthur.jobs.working import Terms, Trade, Worker


def reach_of(settings: Settings) -> Reach:
    """Return what imports of this process can read."""
    root = Path(settings.import_root) if settings.import_root else None
    return Reach(platform.node(), root, settings.import_stores)


def open_trade(arthur: Arthur) -> ImportTrade:
    """Return what knows how jobs are done, with the settings of an opened Arthur."""
    settings, queue = arthur.settings, arthur.catalog.queue
    courtesy = Courtesy(queue.turn, concurrency=settings.host_concurrency, delay_s=settings.host_delay_s)
    intake = Intake(reach_of(settings), Web(arthur.fetcher, courtesy), settings.max_image_bytes)
    return ImportTrade(arthur.recognizer, arthur.catalog, intake)


def open_worker(arthur: Arthur, trade: Trade, *, threads: int, only: int | None = None, nice: int = 0) -> Worker:
    """Return a worker that has not begun; `only` is the number of the one job that it works on."""
    offers, lease_s = reach_of(arthur.settings).offers, arthur.settings.job_lease_s
    return Worker(arthur.catalog.queue, trade, Terms(offers, threads, lease_s, only, nice))
