"""The golden CLIP: small random weights, and what `transformers` makes of them (`engines/parity --golden`)."""

import shutil
from pathlib import Path

import pytest

from arthur.encode.export.config import engine_facts
from arthur.encode.spec import EngineFile

CLIP = Path(__file__).parent / "golden" / "clip"


@pytest.fixture
def clip_folder(tmp_path: Path) -> Path:
    """A copy of the golden CLIP that a test may change."""
    return Path(shutil.copytree(CLIP, tmp_path / "clip"))


@pytest.fixture
def facts() -> EngineFile:
    """The golden CLIP as an engine."""
    return engine_facts(CLIP, name="clip-tiny", licence="none")
