"""The audit log: nothing that was written is lost, and nothing torn harms its neighbours."""

from __future__ import annotations

import multiprocessing
import resource
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from arthur.audit import AuditLog, read_audit
from arthur.errors import StoreError


class Clock:
    now = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> int:
        return int(self.now.timestamp() * 1e9)


def append(folder: Path, name: str) -> None:
    log = AuditLog(folder)
    for number in range(200):
        log.write({"name": name, "number": number, "filling": "x" * 5000})


def test_what_was_written_is_read_with_its_time(tmp_path: Path) -> None:
    AuditLog(tmp_path, clock_ns=Clock()).write({"name": "Ünï"})
    assert list(read_audit(tmp_path)) == [{"at": "2026-03-01T00:00:00.000+00:00", "name": "Ünï"}]


def test_lines_of_several_processes_stay_whole(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=append, args=(tmp_path, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    numbers = {name: [row["number"] for row in read_audit(tmp_path) if row["name"] == name] for name in "ab"}
    assert numbers == {"a": list(range(200)), "b": list(range(200))}


def test_a_day_and_a_full_part_begin_a_new_file_and_old_ones_go(tmp_path: Path) -> None:
    clock = Clock()
    log = AuditLog(tmp_path, keep_days=2, part_bytes=100, clock_ns=clock)
    for day in range(4):
        clock.now = Clock.now + timedelta(days=day)
        log.write({"day": day, "filling": "x" * 100})
        log.write({"day": day})
    assert [row["day"] for row in read_audit(tmp_path)] == [1, 1, 2, 2, 3, 3]
    assert sorted(path.name for path in tmp_path.iterdir())[:2] == ["2026-03-02.0000.jsonl", "2026-03-02.0001.jsonl"]


def test_a_torn_line_costs_only_itself(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.write({"n": 1})
    with next(tmp_path.iterdir()).open("ab") as file:
        file.write(b'{"n": ')
    log.write({"n": 2})
    assert [row["n"] for row in read_audit(tmp_path)] == [1, 2]


def test_a_line_that_does_not_fit_is_an_error_of_ours(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.write({"n": 1})
    before = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[0][1]))
    try:
        with pytest.raises(StoreError, match="cannot be written"):
            log.write({"filling": "x" * 1000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before[0])
        signal.signal(signal.SIGXFSZ, before[1])
    log.write({"n": 2})
    assert [row["n"] for row in read_audit(tmp_path)] == [1, 2]


def test_a_folder_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError):
        AuditLog(tmp_path / "file" / "audit").write({"n": 1})


def test_only_the_owner_reads_the_log(tmp_path: Path) -> None:
    AuditLog(tmp_path / "audit").write({"n": 1})
    modes = [path.stat().st_mode & 0o077 for path in (tmp_path / "audit", *(tmp_path / "audit").iterdir())]
    assert modes == [0, 0]
