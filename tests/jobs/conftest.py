"""Fixtures: a Recognizer over models of the ports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.models import House, ModelCatalog
from tests.models import picture as draw


@pytest.fixture
def house() -> House:
    """A Recognizer and what it stands on."""
    return House(ModelCatalog())


@pytest.fixture
def picture() -> Callable[..., bytes]:
    """Draw a PNG of four colours: `picture(seed)`."""
    return draw
