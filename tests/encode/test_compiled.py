"""Claims about plans in use: made once, opened by all, and made anew when they are not what they should be."""

import threading
from pathlib import Path

import pytest

from arthur.encode.compiled import kept, made
from arthur.encode.cuda import OutOfMemory
from arthur.encode.plans import PlanStore
from arthur.errors import EngineError
from tests.encode.test_plans import KEY


class Opened:
    """A runner that does nothing. See GpuRunner."""

    parallel = 2

    def __init__(self, plan: bytes) -> None:
        self.plan = plan

    def close(self) -> None:
        """Nothing to free."""


class Compiles:
    """See Compiler. Refuses plans that do not begin as its own do."""

    key = KEY

    def __init__(self, *, error: EngineError | None = None) -> None:
        self.error, self.count = error, 0

    def make(self, store: PlanStore) -> bytes:
        self.count += 1
        return b"plan of this machine"

    def open(self, plan: bytes) -> Opened:
        if self.error:
            raise self.error
        if not plan.startswith(b"plan"):
            raise EngineError("TensorRT cannot load its plan")
        return Opened(plan)


@pytest.fixture
def store(tmp_path: Path) -> PlanStore:
    return PlanStore(tmp_path / "plans")


def test_nothing_is_compiled_where_only_what_is_kept_is_asked_for(store: PlanStore) -> None:
    compiler = Compiles()
    assert kept(compiler, store) is None
    assert (compiler.count, store.folder.exists()) == (0, False)


def test_a_plan_is_made_once(store: PlanStore) -> None:
    compiler = Compiles()
    made(compiler, store)
    assert kept(compiler, store).plan == made(compiler, store).plan == b"plan of this machine"
    assert compiler.count == 1


@pytest.mark.parametrize("damage", [b"", b"rubbish"])
def test_a_damaged_plan_is_made_anew(store: PlanStore, damage: bytes) -> None:
    compiler = Compiles()
    made(compiler, store)
    store.path(KEY).write_bytes(damage)
    assert kept(compiler, store) is None
    assert made(compiler, store).plan == store.load(KEY) == b"plan of this machine"


def test_a_plan_that_the_runtime_refuses_is_made_anew(store: PlanStore) -> None:
    store.save(KEY, b"whole, but of another build")
    assert made(Compiles(), store).plan == store.load(KEY) == b"plan of this machine"


def test_too_little_memory_is_no_reason_to_compile(store: PlanStore) -> None:
    made(Compiles(), store)
    compiler = Compiles(error=OutOfMemory("the GPU has no room for batches of 256"))
    with pytest.raises(OutOfMemory):
        made(compiler, store)
    assert compiler.count == 0


def test_processes_that_start_together_compile_once(store: PlanStore) -> None:
    compiler = Compiles()
    threads = [threading.Thread(target=made, args=(compiler, PlanStore(store.folder))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert compiler.count == 1


def test_a_plan_that_cannot_be_kept_serves_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert made(Compiles(), PlanStore(tmp_path / "file" / "plans")).plan == b"plan of this machine"
