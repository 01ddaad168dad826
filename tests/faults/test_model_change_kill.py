"""kill -9 in every stage of a change of engines: what is in force stays whole, and the change goes on where it was."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from arthur.catalog import Catalog, open_catalog
from arthur.encode.folder import open_folder
from tests.conftest import tiny_graph, written_engine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

WORKS = 40
ALIKE = 0.95


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two engines of one length, whose vectors of one picture are far apart."""
    before, after = (tmp_path_factory.mktemp("engines") / name for name in ("before", "after"))
    return written_engine(before, graph=tiny_graph(seed=1)), written_engine(after, graph=tiny_graph(seed=2))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, engines: tuple[Path, Path], artworks: list[bytes]) -> Path:
    """A data folder with forty works, embedded by the first engine, to be copied."""
    folder = tmp_path_factory.mktemp("filled")
    pictures = folder / "pictures" / "a"
    pictures.mkdir(parents=True)
    for work, picture in enumerate(artworks[:WORKS]):
        (pictures / f"{work}.jpg").write_bytes(picture)
    told = arthur("import", pictures.parent, "--engine", engines[0], "--data", folder / "data")
    assert told.returncode == 0, told.stderr
    return folder / "data"


@pytest.fixture
def data(tmp_path: Path, filled: Path) -> Path:
    """A copy of that folder."""
    return Path(shutil.copytree(filled, tmp_path / "data"))


@pytest.fixture
def catalog(data: Path) -> Iterator[Catalog]:
    """The catalogue of that folder."""
    with closing(open_catalog(f"sqlite:///{data / 'catalog.db'}")) as opened:
        yield opened


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "arthur", *map(str, words)]


def arthur(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*words), capture_output=True, text=True, check=False, timeout=600)


def killed_when(moment: Callable[[], bool], *words: str | Path) -> None:
    """Run a command, and kill -9 it at that moment."""
    with subprocess.Popen(command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not moment():
            assert process.poll() is None, "it ended before the moment came"
            time.sleep(0.002)
        process.kill()


def vectors(catalog: Catalog, engine: Path) -> int:
    fingerprint = open_folder(engine).spec().fingerprint
    return sum(known.vectors for known in catalog.engines() if known.fingerprint == fingerprint)


def asked(url: str, picture: bytes) -> dict[str, object]:
    headers = {"content-type": "image/jpeg"}
    return httpx.post(f"{url}/api/v1/match?k=1&verify=never", content=picture, headers=headers, timeout=120).json()


def wait_moved(url: str, picture: bytes, engine: str) -> None:
    """Ask until that engine answers; the one worker has then moved."""
    end = time.monotonic() + 300
    while not str(asked(url, picture)["engine"]).startswith(engine):
        assert time.monotonic() < end
        time.sleep(0.02)


def all_found(url: str, artworks: list[bytes], engine: str) -> bool:
    """Return whether that engine answers, and finds each work by a vector of its own."""
    for work, picture in enumerate(artworks[:WORKS]):
        answer = asked(url, picture)
        best = answer["matches"][0]
        if not answer["engine"].startswith(engine) or best["entry_id"] != str(work) or best["score"] < ALIKE:
            return False
    return True


def test_embedding_goes_on_where_it_was_killed(
    serve: Callable[..., object], data: Path, engines: tuple[Path, Path], catalog: Catalog, artworks: list[bytes]
) -> None:
    server = serve(data)
    slowly = ("reindex", "--engine", engines[1], "--rate", "40", "--shadow", "0", "--switch", "--data", data)
    killed_when(lambda: vectors(catalog, engines[1]) > 0, *slowly)
    done = vectors(catalog, engines[1])
    assert 0 < done < WORKS
    assert all_found(server.url, artworks, "before@")
    told = arthur("reindex", "--engine", engines[1], "--shadow", "0", "--switch", "--json", "--data", data)
    assert json.loads(told.stdout)["embedded"] == WORKS - done
    wait_moved(server.url, artworks[0], "after@")
    assert all_found(server.url, artworks, "after@")


def test_an_index_that_was_killed_while_it_was_built_is_built(
    serve: Callable[..., object], data: Path, engines: tuple[Path, Path], catalog: Catalog, artworks: list[bytes]
) -> None:
    folder = data / "index" / open_folder(engines[1]).spec().fingerprint[:16]
    change = ("reindex", "--engine", engines[1], "--shadow", "0", "--data", data)
    killed_when(lambda: vectors(catalog, engines[1]) == WORKS and folder.is_dir(), *change, "--share", "0.5")
    assert catalog.engine() != open_folder(engines[1]).spec().fingerprint
    assert json.loads(arthur(*change, "--switch", "--json").stdout)["embedded"] == 0
    assert all_found(serve(data).url, artworks, "after@")


def test_servers_killed_after_the_switch_come_back_with_the_new_engine(
    serve: Callable[..., object], data: Path, engines: tuple[Path, Path], catalog: Catalog, artworks: list[bytes]
) -> None:
    before = catalog.engine()
    server = serve(data, workers=2, engine=engines[0])
    change = ("reindex", "--engine", engines[1], "--shadow", "0", "--switch", "--data", data)
    killed_when(lambda: catalog.engine() != before, *change)
    server.kill()
    assert all_found(serve(data, engine=engines[0]).url, artworks, "after@")
    assert arthur("reindex", "--rollback", "--data", data).returncode == 0
    assert catalog.engine() == before
