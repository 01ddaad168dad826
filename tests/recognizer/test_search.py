"""Claims about searching by texts and pictures."""

from typing import Any

import pytest

from arthur.errors import BadRequest, Conflict, InvalidImage
from arthur.types import Ingredient, Question
from tests.models import House, ModelCatalog


def ask(house: House, *ingredients: Ingredient, **more: Any) -> list[str]:
    return [hit.view.entry_id for hit in house.recognizer.search(Question(ingredients, **more)).hits]


@pytest.fixture
def gallery(house: House) -> House:
    for seed in range(4):
        house.enroll(f"a{seed % 2}/e{seed}/main", seed)
    return house


def test_a_text_finds_what_it_means(gallery: House) -> None:
    assert ask(gallery, Ingredient(text="picture 2"))[0] == "e2"


def test_a_picture_finds_itself(gallery: House, picture: Any) -> None:
    answer = gallery.recognizer.search(Question((Ingredient(image=picture(3)),)))
    assert (answer.hits[0].view.entry_id, answer.degraded) == ("e3", False)
    assert answer.hits[0].score == pytest.approx(1, abs=1e-6)


def test_the_heavier_part_wins(gallery: House, picture: Any) -> None:
    text, image = Ingredient(text="picture 1", weight=0.2), Ingredient(image=picture(2))
    assert ask(gallery, text, image)[:1] == ["e2"]
    assert ask(gallery, Ingredient(text="picture 1", weight=5), image)[:1] == ["e1"]


def test_what_is_not_wanted_comes_last(gallery: House) -> None:
    assert ask(gallery, Ingredient(text="picture 1", weight=-1))[-1] == "e1"


def test_k_artists_and_scores_are_obeyed(gallery: House) -> None:
    asked = Ingredient(text="picture 2")
    assert len(ask(gallery, asked, k=2)) == 2
    assert set(ask(gallery, asked, artist_ids=("a1",))) == {"e1", "e3"}
    assert ask(gallery, asked, min_score=0.99) == ["e2"]


def test_a_broken_index_is_stood_in_for(gallery: House) -> None:
    gallery.index.broken = True
    answer = gallery.recognizer.search(Question((Ingredient(text="picture 0"),)))
    assert (answer.hits[0].view.entry_id, answer.degraded) == ("e0", True)


def test_an_engine_without_text_tower_still_searches_by_picture(picture: Any) -> None:
    house = House(ModelCatalog(), text=None)
    house.enroll("a/e/main", 1)
    assert ask(house, Ingredient(image=picture(1))) == ["e"]
    with pytest.raises(Conflict, match="the engine blocks cannot search by text"):
        ask(house, Ingredient(text="picture 1"))


@pytest.mark.parametrize(
    ("ingredients", "message"),
    [
        ((), "at least one text or picture"),
        ((Ingredient(),), "either a text or a picture"),
        ((Ingredient(text="x", image=b"y"),), "either a text or a picture"),
        ((Ingredient(text="picture 1"), Ingredient(text="picture 1", weight=-1)), "cancel each other out"),
        ((Ingredient(text="picture 1", weight=0),), "cancel each other out"),
        ((Ingredient(text="picture 1", weight=float("nan")),), "finite"),
    ],
)
def test_questions_that_ask_nothing_are_refused(
    gallery: House, ingredients: tuple[Ingredient, ...], message: str
) -> None:
    with pytest.raises(BadRequest, match=message):
        ask(gallery, *ingredients)


def test_what_is_no_picture_is_refused(gallery: House) -> None:
    with pytest.raises(InvalidImage):
        ask(gallery, Ingredient(image=b"no picture"))
