"""Fixtures: a Recognizer over models of the ports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.local_models import local_parts
from tests.models import House, ModelCatalog
from tests.models import picture as draw


@pytest.fixture
def house() -> House:
    """A Recognizer and what it stands on."""
    return House(ModelCatalog())


@pytest.fixture
def close_house() -> House:
    """A Recognizer that also looks at local features."""
    return House(ModelCatalog(), local=local_parts())


@pytest.fixture
def picture() -> Callable[..., bytes]:
    """Draw a PNG of four colours: `picture(seed)`."""
    return draw


@pytest.fixture
def another() -> Callable[[House], House]:
    """Give a second Recognizer, with an index and a cache of its own, on the same catalog."""
    return lambda house: House(house.catalog)
