"""Topology, memory, disk and money of a catalogue of any size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from bench.scaling.machines import Market
from bench.scaling.measured import Measured

Local = Literal["whole", "sharded", "off"]
Photos = Literal["drawn", "real"]
Index = Literal["usearch", "qdrant"]

LINKS = 16
"""Qdrant's `m` as Arthur sets it: a node of the lowest layer has twice as many links of 4 bytes."""
UPPER_LAYERS = 1.1
"""Assumption: what the graph's upper layers and lists add; their expected share is 1 / (m - 1)."""
NUMBERS = 24
"""Bytes of a point's artist and numbers, as docs/index.md reckons."""
REWRITTEN = 2
"""Disk of Qdrant by its data: segments are written anew beside the old ones."""
DATABASES = 2
"""A primary and a standby."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is planned for.

    Attributes:
        rate: queries a second, at the busiest time.
        goal_ms: that 99 % of the answers are to keep, as simulated, without the caller's own network.
        replicas: copies of each part of an index on machines of its own.
        dim: values of a vector; the curves are those of 512.
        network_ms: round trip between machines, an assumption.
        original_bytes: kept of each picture; 0 keeps none.
        encode_ms: processor time of the engine for a photo; None as measured, of arthur-mini.
        photos: whose stages are drawn from, see Measured.
        upper: whether searches and votes take what the upper end of their interval says.
    """

    views: int
    rate: float = 100.0
    goal_ms: float = 500.0
    replicas: int = 2
    dim: int = 512
    network_ms: float = 0.5
    original_bytes: int = 0
    encode_ms: float | None = None
    photos: Photos = "drawn"
    upper: bool = False


@dataclass(frozen=True, slots=True)
class Topology:
    """Where the parts are. A group of machines holds one part of an index, `replicas` times.

    Attributes:
        index_groups, local_groups: parts, each on machines of its own; 0 where the API machines have the index.
    """

    index: Index
    local: Local
    index_groups: int
    local_groups: int
    index_bytes: float
    local_bytes: float
    stored_bytes: float
    disk_bytes: float


def point_bytes(dim: int) -> float:
    """Return the memory of a view in Qdrant: a byte a value, links, numbers. Arithmetic, not measured."""
    return dim + 2 * LINKS * 4 * UPPER_LAYERS + NUMBERS


def best_local(wish: Wish, measured: Measured, market: Market) -> Local:
    """Return `whole` where the local index fits beside nothing else and votes within half of the goal, else `off`."""
    size = measured.curves["local index, bytes of files"].at(wish.views)
    slow = measured.curves["local index, CPU ms a query"].at(wish.views) > wish.goal_ms / 2
    return "off" if slow or size > market.roles["api"].data_bytes else "whole"


def laid_out(wish: Wish, measured: Measured, market: Market, *, local: Local) -> Topology:
    """Return the smallest topology whose data fit into memory."""
    curves, memory = measured.curves, market.roles["api"].data_bytes
    local_bytes = 0.0 if local == "off" else curves["local index, bytes of files"].at(wish.views)
    mapped = curves["vector index, bytes of files"].at(wish.views) * wish.dim / 512
    fits = mapped + (local_bytes if local == "whole" else 0) <= memory
    points = wish.views * point_bytes(wish.dim)
    index_groups = 0 if fits else math.ceil(points / market.roles["index"].data_bytes)
    local_groups = math.ceil(local_bytes / market.roles["local"].data_bytes) if local == "sharded" else 0
    kept = "without local features" if local == "off" else "with local features and indices"
    stored = curves[f"catalogue {kept}, bytes"].at(wish.views)
    on_index = 0 if fits else wish.views * measured.qdrant_disk * wish.dim / 512 * wish.replicas * REWRITTEN
    disk = stored * DATABASES + on_index + local_bytes * wish.replicas * bool(local_groups)
    return Topology(
        index="usearch" if fits else "qdrant",
        local=local,
        index_groups=index_groups,
        local_groups=local_groups,
        index_bytes=mapped if fits else points,
        local_bytes=local_bytes,
        stored_bytes=stored,
        disk_bytes=disk + wish.original_bytes * wish.views,
    )


def machines_of(wish: Wish, topology: Topology, api: int) -> dict[str, int]:
    """Return how many machines each role has."""
    return {
        "api": api,
        "index": topology.index_groups * wish.replicas,
        "local": topology.local_groups * wish.replicas,
        "database": DATABASES,
    }


def month(topology: Topology, counts: dict[str, int], market: Market) -> float:
    """Return what machines and disks cost in a month; the API machines' copies of an index are counted as disks too."""
    hours = sum(market.roles[role].price_hour * count for role, count in counts.items()) * market.hours_month
    copies = topology.index_bytes * (topology.index == "usearch") + topology.local_bytes * (topology.local == "whole")
    return hours + (topology.disk_bytes + copies * counts["api"]) / 1e9 * market.disk_gb_month
