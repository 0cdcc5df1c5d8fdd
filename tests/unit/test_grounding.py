"""Where a value stands in a text: true offsets, tolerant of what nobody means, of nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.grounding import Ground, Place, folded

WORDS = st.lists(
    st.sampled_from(
        ["Straße", "ﬁnal", "café", "cafe\u0301", "Ltd.", "1,200.50", "“A–B”", "İstanbul", "株式会社", "\u00adx"]
    ),
    min_size=1,
    max_size=8,
)
BLANKS = st.sampled_from([" ", "\n", "\u00a0", " \t ", "\f", " \u200b "])


@given(before=WORDS, value=WORDS, after=WORDS, blank=BLANKS, other=BLANKS)
def test_a_value_is_found_through_other_blanks_and_case_and_the_span_holds_it(
    before: list[str], value: list[str], after: list[str], blank: str, other: str
) -> None:
    text = blank.join([*before, *value, *after])
    span = Ground(text).find(other.join(value).swapcase())
    assert span is not None
    assert folded(text[span.start : span.end]) == folded(" ".join(value))


@given(st.text(max_size=80), st.text(max_size=8))
def test_whatever_is_found_is_really_there(text: str, value: str) -> None:
    span = Ground(text).find(value)
    if span:
        assert 0 <= span.start < span.end <= len(text)
        assert folded(text[span.start : span.end]) == folded(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("5", "in 2025"),
        ("100.00", "Total 1,100.00"),
        ("100", "Total 100.50"),
        ("INV-1", "INV-12"),
        ("Ada", "Adam"),
        ("cafe", "cafe\u0301"),
        ("cafe", "café"),
        ("f", "ﬁ"),
        ("Ada Lovelace", "Ada and Lovelace"),
        ("", "text"),
        (" \n", "a b"),
        ("x", ""),
    ],
)
def test_a_part_of_a_word_or_of_a_number_is_not_the_value(value: str, text: str) -> None:
    assert Ground(text).find(value) is None


@pytest.mark.parametrize(
    ("value", "text", "span"),
    [
        ("EUR", "Total EUR240.00", (6, 9)),
        ("240.00", "Total EUR240.00.", (9, 15)),
        ("MILLBROOK PAPER", "to Millbrook\n  Paper Ltd", (3, 20)),
        ("final", "the ﬁnal one", (4, 8)),
        ("A-B", "x A–B y", (2, 5)),
        ("株式", "株式会社", (0, 2)),
        ("5", "15 or 5", (6, 7)),
    ],
)
def test_a_value_is_found_where_it_stands(value: str, text: str, span: tuple[int, int]) -> None:
    assert Ground(text).find(value) == Place(start=span[0], end=span[1])


def test_several_values_are_found_from_the_first_to_the_last_or_not_at_all() -> None:
    ground = Ground("Skills: Kafka and Python; SQL")
    assert ground.find_all("Python, SQL; Kafka") == Place(8, 29)
    assert ground.find_all("Kafka, Cobol") is None
    assert ground.find_all(" , ") is None
