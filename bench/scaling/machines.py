"""Machine types and prices, from a file that anyone may replace."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

USUAL = Path(__file__).parent / "machines.toml"
ROLES = ("api", "index", "local", "database")


@dataclass(frozen=True, slots=True)
class Machine:
    """A type: virtual cores, bytes of memory that data may fill, price an hour."""

    cores: int
    data_bytes: float
    price_hour: float


@dataclass(frozen=True, slots=True)
class Market:
    """What is for sale: the machine of each role, and a gigabyte of disk for a month."""

    roles: dict[str, Machine]
    currency: str
    disk_gb_month: float
    hours_month: float


def read_market(path: Path = USUAL) -> Market:
    """Read a file like machines.toml.

    Raises:
        ValueError: it is no TOML, or something in it is missing or not positive.
    """
    told = tomllib.loads(path.read_text())
    try:
        types = {
            name: Machine(
                int(kind["cores"]), kind["memory_gb"] * 2**30 * told["memory_share"], float(kind["price_hour"])
            )
            for name, kind in told["types"].items()
        }
        roles = {role: types[told["roles"][role]] for role in ROLES}
        market = Market(roles, str(told["currency"]), float(told["disk_gb_month"]), float(told["hours_month"]))
    except KeyError as missing:
        raise ValueError(f"{path}: {missing} is missing") from missing
    if any(machine.cores < 1 or machine.data_bytes <= 0 for machine in types.values()):
        raise ValueError(f"{path}: a machine needs cores and memory")
    return market
