"""A long text in parts: each has room, none of the text is lost, pages are marked, hostile texts end."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.splitting import SMALLEST_ROOM, pieces, split
from shared.core.tokens import rough

PARAGRAPH = "Paper, twelve boxes, to be paid within thirty days of the date of this invoice."
TEXTS = st.text(alphabet=st.sampled_from("ab1. \n\f\té漢"), max_size=4000)


def solid(text: str) -> str:
    """The text without what stands between words and paragraphs."""
    return re.sub(r"\s", "", re.sub(r"\[page \d+\]\n", "", text))


@given(TEXTS, st.integers(SMALLEST_ROOM, 400))
def test_every_part_has_room(text: str, room: int) -> None:
    assert all(rough(part.text) <= room for part in split(text, room))


@given(TEXTS, st.integers(SMALLEST_ROOM, 400))
def test_no_sign_is_lost(text: str, room: int) -> None:
    found = list(pieces(text, room))
    assert solid("".join(piece.text for piece in found)) == solid(text)
    parts = [part.text for part in split(text, room)]
    assert all(any(piece.text in part for part in parts) for piece in found)


def test_what_has_room_is_one_part() -> None:
    [part] = split("A short text.\n\nOf two paragraphs.", 1_000)
    assert part.text == "A short text.\n\nOf two paragraphs."
    assert str(part) == "part 1 of 1, page 1"


def test_parts_are_cut_between_paragraphs_and_overlap() -> None:
    text = "\n\n".join(f"{number}. {PARAGRAPH}" for number in range(100))
    parts = split(text, 600)
    assert len(parts) > 3
    for part, following in pairwise(parts):
        assert part.text.endswith("invoice.")
        assert following.text.startswith(part.text.split("\n\n")[-1])
    assert all(f"{number}. {PARAGRAPH}" in "\n\n".join(part.text for part in parts) for number in range(100))


def test_each_page_is_marked_in_every_part_that_holds_some_of_it() -> None:
    pages = "\f".join("\n\n".join([PARAGRAPH] * 10) for _ in range(4))
    parts = split(pages, 700)
    for part in parts:
        marks = [int(mark) for mark in re.findall(r"\[page (\d+)\]", part.text)]
        assert marks == list(range(part.first_page, part.last_page + 1))
    assert (parts[0].first_page, parts[-1].last_page) == (1, 4)
    assert "pages" in str(parts[0])


@pytest.mark.parametrize("text", ["x" * 200_000, "漢" * 50_000, " " * 200_000 + "end", "word " * 40_000])
def test_a_text_without_paragraphs_is_cut_all_the_same(text: str) -> None:
    parts = split(text, 2_000)
    assert all(rough(part.text) <= 2_000 for part in parts)
    assert all(any(piece.text in part.text for part in parts) for piece in pieces(text, 2_000))


def test_an_empty_text_has_no_parts() -> None:
    assert split("\n \f\n", 100) == ()


def test_a_room_that_holds_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="parts of 10 tokens hold nothing"):
        split("text", 10)
