"""Damaged files, killed processes, full disks and shared folders: the index opens and the catalog mends it.

Run as a script, `test_index_faults.py URL` applies the history to an index for as long as it lives.
"""

from __future__ import annotations

import logging
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from arthur.errors import StoreError
from arthur.index import VectorIndex, open_index
from arthur.types import Keys, Vectors

DIM = 32
CHANGES = 80
PER_CHANGE = 20
UPTO = 40

Spawn = Callable[[Path, str], "subprocess.Popen[str]"]


def rows_of(keys: Keys) -> Vectors:
    """(n, DIM) unit rows that depend on the keys alone."""
    table = np.random.default_rng(5).standard_normal((CHANGES * PER_CHANGE, DIM)).astype(np.float32)
    rows = table[keys]
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def keys_put(change: int) -> Keys:
    """Keys that a change puts."""
    return np.arange(change * PER_CHANGE, (change + 1) * PER_CHANGE)


def keys_removed(change: int) -> Keys:
    """Keys that a change removes: a third of those put ten changes before."""
    return keys_put(change - 10)[::3] if change >= 10 else np.empty(0, np.int64)


def replay(index: VectorIndex, upto: int) -> Iterator[int]:
    """Apply the changes that the index lacks, one at a time."""
    for change in range(index.sequence, upto):
        index.remove(keys_removed(change))
        keys = keys_put(change)
        index.put(keys, rows_of(keys), keys % 9)
        index.advance(change + 1)
        yield change


def opened(folder: Path, *, fingerprint: str = "engine-a", tail: int = 64) -> VectorIndex:
    return open_index(f"usearch:{folder}?tail={tail}", dim=DIM, fingerprint=fingerprint)


def replayed(index: VectorIndex, upto: int) -> VectorIndex:
    for _ in replay(index, upto):
        pass
    return index


def assert_holds_history(index: VectorIndex, upto: int) -> None:
    exact = replayed(open_index("exact:", dim=DIM, fingerprint="engine-a"), upto)
    probes = rows_of(np.arange(0, upto * 20, 7))
    assert len(index) == len(exact)
    assert np.allclose(index.search(probes, 5).scores, exact.search(probes, 5).scores, atol=2e-3)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in 30 s"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two generations; the newer one adds a segment too small for a graph to that of the older one."""
    folder = tmp_path_factory.mktemp("written") / "index"
    with closing(opened(folder, tail=10_000)) as index:
        replayed(index, UPTO - 3).checkpoint()
    with closing(opened(folder)) as index:
        replayed(index, UPTO - 2).checkpoint()
        replayed(index, UPTO).checkpoint()
    assert [len(list(folder.glob(f"segment-*.{kind}"))) for kind in ("graph", "rows")] == [1, 1]
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


def test_a_sound_folder_opens_at_its_newest_sequence(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(opened(folder)) as index:
        assert index.sequence == UPTO
        assert_holds_history(index, UPTO)
    assert caplog.messages == []


@pytest.mark.parametrize("kind", ["flip", "cut", "longer", "empty", "missing"])
@pytest.mark.parametrize("pattern", ["segment-*.graph", "segment-*.rows", "segment-*.table", "removed-*"])
def test_a_damaged_file_is_noticed_and_mended(
    folder: Path, pattern: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = newest(folder, pattern)
    damage(path, kind)
    with caplog.at_level(logging.WARNING), closing(opened(folder)) as index:
        assert index.sequence < UPTO
        assert_holds_history(replayed(index, UPTO), UPTO)
    assert any(path.name in message for message in caplog.messages)


@pytest.mark.parametrize("kind", ["flip", "cut", "longer", "empty"])
def test_a_damaged_manifest_is_noticed_and_mended(folder: Path, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    damage(newest(folder, "manifest-*"), kind)
    with caplog.at_level(logging.WARNING), closing(opened(folder)) as index:
        assert UPTO - 2 <= index.sequence < UPTO
        assert_holds_history(replayed(index, UPTO), UPTO)
    assert any("manifest" in message for message in caplog.messages)


def test_a_folder_without_a_sound_generation_starts_empty(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    for path in folder.glob("manifest-*"):
        damage(path, "flip")
    with caplog.at_level(logging.WARNING), closing(opened(folder)) as index:
        assert (len(index), index.sequence) == (0, 0)
        replayed(index, UPTO).checkpoint()
    with closing(opened(folder)) as index:
        assert_holds_history(index, UPTO)
    assert len(caplog.messages) == 2


def test_files_of_another_engine_are_not_used(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), closing(opened(folder, fingerprint="engine-b")) as index:
        assert (len(index), index.sequence) == (0, 0)
        replayed(index, 10).checkpoint()
        assert_holds_history(index, 10)
    assert any("another engine" in message for message in caplog.messages)


def test_a_swept_folder_holds_two_generations_and_nothing_else(folder: Path) -> None:
    for name in ("segment-0000000000000099.rows.tmp", "segment-0000000000000099.graph"):
        (folder / name).write_bytes(b"left by a killed process")
    with closing(opened(folder)):
        kinds = sorted(path.name.split("-")[0] for path in folder.iterdir() if "segment" not in path.name)
    assert kinds == ["manifest", "manifest", "owner.lock", "removed", "removed"]
    assert not list(folder.glob("*099*"))


def test_a_process_killed_at_any_moment_leaves_an_index_that_opens(tmp_path: Path, spawn: Spawn) -> None:
    url, moments = f"usearch:{tmp_path / 'index'}?tail=64", random.Random(3)
    for _ in range(10):
        process = spawn(Path(__file__), url)
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        time.sleep(moments.uniform(0.0, 0.3))
        process.kill()
        process.wait()
        with closing(opened(tmp_path / "index")) as index:
            assert_holds_history(replayed(index, CHANGES), CHANGES)


def test_a_full_disk_is_an_error_and_nothing_is_lost(folder: Path, limited_files: None) -> None:
    with closing(opened(folder)) as index:
        replayed(index, UPTO + 40)
        with pytest.raises(StoreError, match=r"cannot be written|cut short|USearch"):
            index.checkpoint()
        assert_holds_history(index, UPTO + 40)
    with closing(opened(folder)) as index:
        assert index.sequence == UPTO


@pytest.fixture
def limited_files() -> Iterator[None]:
    """Let no file of this process grow beyond 16 KiB; Python ignores the signal that comes with it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16 * 1024, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_only_one_of_two_writes_and_the_other_follows(folder: Path) -> None:
    with closing(opened(folder)) as owner, closing(opened(folder)) as follower:
        assert (owner.stats()["owner"], follower.stats()["owner"]) == (True, False)
        replayed(owner, UPTO + 20).checkpoint()
        replayed(follower, UPTO + 30).checkpoint()
        until(lambda: follower.stats()["generation"] == owner.stats()["generation"])
        assert follower.stats()["tail_rows"] == 10 * 20
        assert_holds_history(follower, UPTO + 30)
        assert_holds_history(owner, UPTO + 20)


def test_a_follower_keeps_its_own_removals(folder: Path) -> None:
    with closing(opened(folder)) as owner, closing(opened(folder)) as follower:
        gone = keys_put(3)[1::3]
        assert follower.remove(gone) == len(gone)
        replayed(owner, UPTO + 1).checkpoint()
        until(lambda: follower.stats()["generation"] == owner.stats()["generation"])
        assert not np.isin(follower.search(rows_of(gone), 50).keys, gone).any()


def test_a_follower_takes_over_from_a_killed_owner(tmp_path: Path, spawn: Spawn) -> None:
    process = spawn(Path(__file__), f"usearch:{tmp_path / 'index'}?tail=64")
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    with closing(opened(tmp_path / "index")) as follower:
        assert follower.stats()["owner"] is False
        assert process.stdout.readline() == "done\n"
        process.kill()
        process.wait()
        until(lambda: follower.stats()["owner"] is True)
        assert_holds_history(replayed(follower, CHANGES), CHANGES)
        follower.checkpoint()
    with closing(opened(tmp_path / "index")) as index:
        assert index.sequence == CHANGES


def test_the_background_seals_a_grown_tail(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "index")) as index:
        replayed(index, 10)
        until(lambda: index.stats()["tail_rows"] == 0)
        assert index.stats()["sealed_sequence"] == 10


def test_worn_segments_are_rebuilt_without_removed_rows(folder: Path) -> None:
    with closing(opened(folder)) as index:
        index.remove(np.concatenate([keys_put(change) for change in range(UPTO // 2)]))
        until(lambda: int(str(index.stats()["sealed_entries"])) * 7 <= len(index) * 8)


def test_every_removal_of_the_history_is_of_a_put_key() -> None:
    assert all(np.isin(keys_removed(change), keys_put(change - 10)).all() for change in range(10, CHANGES))


def main(url: str) -> None:
    """Apply everything and seal after every fifth change; say so, so that others can wait for it."""
    index = open_index(url, dim=DIM, fingerprint="engine-a")
    sys.stdout.write("open\n")
    sys.stdout.flush()
    for change in replay(index, CHANGES):
        if change % 5 == 0:
            index.checkpoint()
    sys.stdout.write("done\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
