"""Contact sheets show what they promise."""

from pathlib import Path

import numpy as np
import pytest

from bench.artphoto.__main__ import main
from bench.artphoto.sheet import SHEETS, Captioned, sheet


def test_a_sheet_holds_every_picture_in_its_cell() -> None:
    pictures = [[Captioned(np.full((40, 60, 3), 10 * (4 * y + x), np.uint8), "") for x in range(4)] for y in range(3)]
    page = sheet(pictures, cell=30)
    found = [page[12 + y * 52, 8 + x * 36, 0] for y in range(3) for x in range(4)]
    assert found == [10 * number for number in range(12)]


@pytest.mark.parametrize("name", SHEETS)
def test_every_sheet_is_written(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["artphoto", "sheet", name, "--into", str(tmp_path / "sheet.png"), "--rows", "1"])
    main()
    assert (tmp_path / "sheet.png").stat().st_size > 10_000
