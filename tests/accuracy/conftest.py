"""A system that knows its answers by heart, and the exam it sits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import pytest

from bench.accuracy.exam import Exam, Photo, Work
from bench.accuracy.systems import Answer


@dataclass
class Rote:
    """Answers with the work whose name the photo's file holds, if it is enrolled; counts what it was asked to do."""

    works: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    costs: int = 0
    knows: bool = False

    def enroll(self, works: Sequence[Work]) -> int:
        """See System.enroll."""
        self.calls += [f"enroll {work.name}" for work in works]
        self.works += [work.name for work in works if work.name not in self.works]
        return 0 if self.knows else len(works)

    def settle(self) -> None:
        """See System.settle."""
        self.calls.append("settle")

    def forget(self, names: Collection[str]) -> None:
        """See System.forget."""
        self.calls += [f"forget {name}" for name in sorted(names)]
        self.works = [name for name in self.works if name not in names]

    def query(self, photo: bytes) -> Answer:
        """See System.query."""
        self.calls.append(f"query {photo.decode()}")
        sum(range(self.costs))
        first = [name for name in self.works if name == photo.decode()]
        ranked = [*first, *(name for name in self.works if name not in first)]
        answers = tuple((name, 1.0 - place / 10) for place, name in enumerate(ranked))
        return Answer(answers, 0.9 if first else 0.2, "match" if first else "no_match", 0.9 if first else 0.2)

    def stored_bytes(self) -> int:
        """See System.stored_bytes."""
        return 1000 + 10 * len(self.works)

    def close(self) -> None:
        """See System.close."""


@pytest.fixture(scope="module")
def rote() -> type[Rote]:
    """The class of systems that answer by heart; test files cannot import from here."""
    return Rote


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Exam:
    """Four works and two distractors; a photo of each work, one of none, and one whose work is left out."""
    folder = tmp_path_factory.mktemp("exam")
    works = [Work("a", str(number), folder / "unread") for number in range(6)]

    def photo(shown: str, name: str, kind: str, **truth: frozenset[str]) -> Photo:
        path = folder / f"{name}.jpg"
        path.write_text(shown)
        return Photo(name, path, kind, "1", **truth)

    known = [photo(work.name, f"known-{work.entry}", "known", works=frozenset([work.name])) for work in works[:4]]
    unknown = photo("nowhere", "other", "none")
    left_out = [photo("a/2", f"left-{take}", "left-out", without=frozenset(["a/2"])) for take in range(2)]
    return Exam("rote", tuple(works[:4]), (*known, unknown, *left_out), tuple(works[4:]), "by hand")
