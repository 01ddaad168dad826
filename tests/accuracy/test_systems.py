"""Every system finds the works that it was given, and not those that it has lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.accuracy.exam import Work
from bench.accuracy.systems import DEPTH, System
from bench.accuracy.systems.arthur import ArthurSystem, Installation
from bench.accuracy.systems.choice import SYSTEMS, opened
from bench.accuracy.systems.features import Features, inliers
from bench.accuracy.systems.snapshots import Snapshots
from bench.artphoto.benchmark import jpeg
from bench.artphoto.paintings import painting


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> list[Work]:
    folder = tmp_path_factory.mktemp("works")
    found = []
    for number in range(DEPTH + 2):
        path = folder / f"{number}.jpg"
        path.write_bytes(jpeg(painting(60 + number, 0, 0, size=320), 90))
        found.append(Work("painter", str(number), path))
    return found


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[System]:
    with opened([request.param], engine="arthur-mini", peer_engine="arthur-mini", cache=tmp_path) as systems:
        yield systems[request.param]


def test_an_enrolled_work_comes_first(system: System, works: list[Work]) -> None:
    system.enroll(works)
    answer = system.query(works[3].path.read_bytes())
    assert answer.ranked[0][0] == "painter/3"
    assert len(answer.ranked) <= DEPTH
    scores = [score for _, score in answer.ranked]
    assert scores == sorted(scores, reverse=True)


def test_a_forgotten_work_is_not_found_until_it_is_enrolled_again(system: System, works: list[Work]) -> None:
    system.enroll(works)
    sure = system.query(works[3].path.read_bytes()).score
    system.forget(["painter/3", "painter/unheard-of"])
    without = system.query(works[3].path.read_bytes())
    assert "painter/3" not in [name for name, _ in without.ranked]
    assert without.score < sure
    system.enroll(works[3:4])
    assert system.query(works[3].path.read_bytes()).ranked[0][0] == "painter/3"


def test_an_empty_catalogue_has_no_match(system: System, works: list[Work]) -> None:
    answer = system.query(works[0].path.read_bytes())
    assert answer.ranked == ()
    assert answer.decision == "no_match"


def test_more_works_take_more_bytes(system: System, works: list[Work]) -> None:
    before = system.stored_bytes()
    system.enroll(works)
    assert system.stored_bytes() > before


def test_both_ways_to_ask_arthur_share_its_works(works: list[Work], tmp_path: Path) -> None:
    names = ["arthur", "arthur-global"]
    with opened(names, engine="arthur-mini", peer_engine="arthur-mini", cache=tmp_path) as systems:
        systems["arthur"].enroll(works[:2])
        answer = systems["arthur-global"].query(works[1].path.read_bytes())
    assert answer.ranked[0][0] == "painter/1"
    assert answer.probability == answer.score


def test_a_large_catalogue_is_embedded_once(works: list[Work], tmp_path: Path) -> None:
    learned = []
    for _ in range(2):
        with closing(ArthurSystem(Installation(Snapshots(tmp_path, "arthur-mini", least=3)), "auto")) as arthur:
            learned += [arthur.enroll(works[:3]), arthur.enroll(works[3:7])]
            answer = arthur.query(works[5].path.read_bytes())
            assert [len(answer.ranked), answer.ranked[0][0]] == [7, "painter/5"]
    assert learned == [3, 4, 0, 0]


def test_a_snapshot_belongs_to_its_works(works: list[Work], tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path / "kept", "arthur-mini", least=1)
    data = tmp_path / "data"
    data.mkdir()
    snapshots.keep(works[:2], data)
    assert snapshots.load(works[1::-1], data)
    assert not snapshots.load(works[:3], data)


def test_a_snapshot_belongs_to_its_engine(works: list[Work], tmp_path: Path, write_engine: Callable[..., Path]) -> None:
    data, engine = tmp_path / "data", write_engine()
    data.mkdir()
    Snapshots(tmp_path / "kept", str(engine), least=1).keep(works, data)
    assert Snapshots(tmp_path / "kept", str(engine)).load(works, data)
    (engine / "decision.json").write_text("{}")
    assert not Snapshots(tmp_path / "kept", str(engine)).load(works, data)


def test_an_unknown_system_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown systems: clip"):
        opened(["clip"], engine="", peer_engine="", cache=tmp_path).__enter__()


def test_inliers_are_those_that_one_homography_explains() -> None:
    random = np.random.default_rng(0)
    points = random.uniform(0, 300, (40, 2)).astype(np.float32)
    moved = points * 1.5 + 20
    moved[30:] = random.uniform(0, 300, (10, 2))
    codes = np.zeros((40, 32), np.uint8)
    matches = [cv2.DMatch(place, place, 0) for place in range(40)]
    found = inliers(Features(points, codes), Features(moved, codes), matches, method=cv2.RANSAC, pixels=3)
    assert 30 <= found <= 32
