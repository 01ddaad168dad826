"""Damaged files, killed processes, full disks and shared folders: every index opens and the catalog mends it."""

from __future__ import annotations

import logging
import random
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arthur.errors import StoreError
from tests.faults import history
from tests.faults.history import CHANGES, KINDS, PER_CHANGE, Kind, keys_put, keys_removed

UPTO = 40

AnyKind = Kind[Any]
Spawn = Callable[[Path, str], "subprocess.Popen[str]"]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in 30 s"
        time.sleep(0.01)


@pytest.fixture(params=KINDS.values(), ids=list(KINDS), scope="module")
def kind(request: pytest.FixtureRequest) -> AnyKind:
    chosen: AnyKind = request.param
    return chosen


@pytest.fixture(scope="module")
def written(kind: AnyKind, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two generations; the newer one adds a small segment to that of the older one."""
    folder = tmp_path_factory.mktemp("written") / "index"
    with closing(kind.opened(folder, tail=10_000)) as index:
        kind.replayed(index, UPTO - 3).checkpoint()
    with closing(kind.opened(folder)) as index:
        kind.replayed(index, UPTO - 2).checkpoint()
        kind.replayed(index, UPTO).checkpoint()
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "index"))


def newest(folder: Path, pattern: str) -> Path:
    return max(folder.glob(pattern))


def damage(path: Path, kind: str) -> None:
    content = bytearray(path.read_bytes())
    match kind:
        case "flip":
            content[random.Random(len(content)).randrange(len(content))] ^= 0x10
            path.write_bytes(content)
        case "cut":
            path.write_bytes(content[: len(content) * 2 // 3])
        case "longer":
            path.write_bytes(bytes(content) + b"\0" * 64)
        case "empty":
            path.write_bytes(b"")
        case "missing":
            path.unlink()


def test_a_sound_folder_opens_at_its_newest_sequence(
    kind: AnyKind, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(kind.opened(folder)) as index:
        assert index.sequence == UPTO
        kind.assert_holds_history(index, UPTO)
    assert caplog.messages == []


@pytest.mark.parametrize("how", ["flip", "cut", "longer", "empty", "missing"])
@pytest.mark.parametrize("file", range(4))
def test_a_damaged_file_is_noticed_and_mended(
    kind: AnyKind, folder: Path, file: int, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = newest(folder, kind.patterns[file])
    damage(path, how)
    with caplog.at_level(logging.WARNING), closing(kind.opened(folder)) as index:
        assert index.sequence < UPTO
        kind.assert_holds_history(kind.replayed(index, UPTO), UPTO)
    assert any(path.name in message for message in caplog.messages)


@pytest.mark.parametrize("how", ["flip", "cut", "longer", "empty"])
def test_a_damaged_manifest_is_noticed_and_mended(
    kind: AnyKind, folder: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    damage(newest(folder, "manifest-*"), how)
    with caplog.at_level(logging.WARNING), closing(kind.opened(folder)) as index:
        assert UPTO - 2 <= index.sequence < UPTO
        kind.assert_holds_history(kind.replayed(index, UPTO), UPTO)
    assert any("manifest" in message for message in caplog.messages)


def test_a_folder_without_a_sound_generation_starts_empty(
    kind: AnyKind, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for path in folder.glob("manifest-*"):
        damage(path, "flip")
    with caplog.at_level(logging.WARNING), closing(kind.opened(folder)) as index:
        assert (len(index), index.sequence) == (0, 0)
        kind.replayed(index, UPTO).checkpoint()
    with closing(kind.opened(folder)) as index:
        kind.assert_holds_history(index, UPTO)
    assert len(caplog.messages) == 2


def test_files_of_another_engine_are_not_used(kind: AnyKind, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), closing(kind.opened(folder, fingerprint="engine-b")) as index:
        assert (len(index), index.sequence) == (0, 0)
        kind.replayed(index, 10).checkpoint()
        kind.assert_holds_history(index, 10)
    assert any("another engine" in message for message in caplog.messages)


def test_files_of_another_kind_are_not_used(kind: AnyKind, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    other = next(other for other in KINDS.values() if other is not kind)
    with caplog.at_level(logging.WARNING), closing(other.opened(folder)) as index:
        assert (len(index), index.sequence) == (0, 0)
    assert any("another engine" in message for message in caplog.messages)


def test_a_swept_folder_holds_two_generations_and_nothing_else(kind: AnyKind, folder: Path) -> None:
    for name in ("segment-0000000000000099.rows.tmp", "segment-0000000000000099.table"):
        (folder / name).write_bytes(b"left by a killed process")
    with closing(kind.opened(folder)):
        kinds = sorted(path.name.split("-")[0] for path in folder.iterdir() if "segment" not in path.name)
    assert kinds == ["manifest", "manifest", "owner.lock", "removed", "removed"]
    assert not list(folder.glob("*099*"))


def test_a_process_killed_at_any_moment_leaves_an_index_that_opens(kind: AnyKind, tmp_path: Path, spawn: Spawn) -> None:
    folder, moments = tmp_path / "index", random.Random(3)
    for _ in range(8):
        process = spawn(Path(history.__file__), f"{kind.name} {folder}")
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        time.sleep(moments.uniform(0.0, 0.3))
        process.kill()
        process.wait()
        with closing(kind.opened(folder)) as index:
            kind.assert_holds_history(kind.replayed(index, CHANGES), CHANGES)


def test_a_full_disk_is_an_error_and_nothing_is_lost(kind: AnyKind, folder: Path) -> None:
    with limited_files(), closing(kind.opened(folder)) as index:
        kind.replayed(index, UPTO + 40)
        with pytest.raises(StoreError, match=r"cannot be written|cut short|USearch"):
            index.checkpoint()
        kind.assert_holds_history(index, UPTO + 40)
    with closing(kind.opened(folder)) as index:
        assert index.sequence == UPTO


@contextmanager
def limited_files() -> Iterator[None]:
    """Let no file of this process grow beyond 8 KiB; Python ignores the signal that comes with it.

    Only inside the test: what pytest itself writes may go to a file as well.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8 * 1024, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_only_one_of_two_writes_and_the_other_follows(kind: AnyKind, folder: Path) -> None:
    with closing(kind.opened(folder)) as owner, closing(kind.opened(folder)) as follower:
        assert (owner.stats()["owner"], follower.stats()["owner"]) == (True, False)
        kind.replayed(owner, UPTO + 20).checkpoint()
        kind.replayed(follower, UPTO + 30).checkpoint()
        until(lambda: follower.stats()["generation"] == owner.stats()["generation"])
        assert follower.stats()["tail_rows"] == 10 * PER_CHANGE
        kind.assert_holds_history(follower, UPTO + 30)
        kind.assert_holds_history(owner, UPTO + 20)


def test_a_follower_keeps_its_own_removals(kind: AnyKind, folder: Path) -> None:
    with closing(kind.opened(folder)) as owner, closing(kind.opened(folder)) as follower:
        gone = keys_put(3)[1::3]
        assert follower.remove(gone) == len(gone)
        kind.replayed(owner, UPTO + 1).checkpoint()
        until(lambda: follower.stats()["generation"] == owner.stats()["generation"])
        assert not np.isin(kind.answers(follower, UPTO, 1000)[0], gone).any()


def test_a_follower_takes_over_from_a_killed_owner(kind: AnyKind, tmp_path: Path, spawn: Spawn) -> None:
    process = spawn(Path(history.__file__), f"{kind.name} {tmp_path / 'index'}")
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    with closing(kind.opened(tmp_path / "index")) as follower:
        assert follower.stats()["owner"] is False
        assert process.stdout.readline() == "done\n"
        process.kill()
        process.wait()
        until(lambda: follower.stats()["owner"] is True)
        kind.assert_holds_history(kind.replayed(follower, CHANGES), CHANGES)
        follower.checkpoint()
    with closing(kind.opened(tmp_path / "index")) as index:
        assert index.sequence == CHANGES


def test_the_background_seals_a_grown_tail(kind: AnyKind, tmp_path: Path) -> None:
    with closing(kind.opened(tmp_path / "index")) as index:
        kind.replayed(index, 10)
        until(lambda: int(str(index.stats()["tail_rows"])) < 64)
        assert int(str(index.stats()["sealed_entries"])) > 10 * PER_CHANGE - 64
        assert int(str(index.stats()["sealed_sequence"])) > 0


def test_worn_segments_are_rebuilt_without_removed_rows(kind: AnyKind, folder: Path) -> None:
    with closing(kind.opened(folder)) as index:
        index.remove(np.concatenate([keys_put(change) for change in range(UPTO // 2)]))
        until(lambda: int(str(index.stats()["sealed_entries"])) * 7 <= len(index) * 8)


def test_every_removal_of_the_history_is_of_a_put_key() -> None:
    assert all(np.isin(keys_removed(change), keys_put(change - 10)).all() for change in range(10, CHANGES))
