"""Claims about plans: found for the very machine that they were made for, whole or not at all."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from arthur.encode.ladder import Profile
from arthur.encode.plans import PlanKey, PlanStore
from tests.encode.fake_cuda import GPU

KEY = PlanKey(GPU, "tensorrt 10.13.3", "fp16", "a" * 64, (Profile(1, 8, 8),))
OTHERS = {
    "gpu": replace(KEY, gpu=replace(GPU, name="Fake 2")),
    "capability": replace(KEY, gpu=replace(GPU, capability="8.9")),
    "driver": replace(KEY, gpu=replace(GPU, driver="580.2")),
    "cuda": replace(KEY, gpu=replace(GPU, cuda="13.1")),
    "runtime": replace(KEY, runtime="tensorrt 10.13.4"),
    "precision": replace(KEY, precision="bf16"),
    "graph": replace(KEY, graph="b" * 64),
    "profiles": replace(KEY, profiles=(Profile(1, 16, 16),)),
}
PLAN = bytes(range(256)) * 40


@pytest.fixture
def store(tmp_path: Path) -> PlanStore:
    store = PlanStore(tmp_path / "plans")
    store.save(KEY, PLAN)
    return store


def test_a_kept_plan_is_found(store: PlanStore) -> None:
    assert PlanStore(store.folder).load(KEY) == PLAN


@pytest.mark.parametrize("changed", OTHERS)
def test_a_plan_made_for_another_is_not_found(store: PlanStore, changed: str) -> None:
    other = OTHERS[changed]
    assert store.load(other) is None
    store.path(KEY).rename(store.path(other))
    assert store.load(other) is None


@pytest.mark.parametrize("place", [0, 20, -PLAN.__len__() - 5, -1])
def test_a_changed_byte_is_found(store: PlanStore, place: int) -> None:
    content = bytearray(store.path(KEY).read_bytes())
    content[place] ^= 1
    store.path(KEY).write_bytes(content)
    assert store.load(KEY) is None


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_plan_is_not_found(store: PlanStore, share: float) -> None:
    content = store.path(KEY).read_bytes()
    store.path(KEY).write_bytes(content[: int(len(content) * share)])
    assert store.load(KEY) is None


def test_a_damaged_plan_is_replaced(store: PlanStore) -> None:
    store.path(KEY).write_bytes(b"damaged")
    store.save(KEY, PLAN)
    assert store.load(KEY) == PLAN
    assert [path.name for path in store.folder.iterdir()] == [store.path(KEY).name]


def test_timings_are_kept_for_a_machine_and_all_its_precisions(store: PlanStore) -> None:
    store.save_timings(KEY, b"learned")
    assert store.timings(OTHERS["precision"]) == b"learned"
    assert store.timings(OTHERS["driver"]) == b""


def test_only_one_builds_at_a_time(store: PlanStore) -> None:
    inside, order = threading.Event(), []

    def second() -> None:
        inside.wait()
        with PlanStore(store.folder).building():
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with store.building():
        inside.set()
        thread.join(timeout=0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
