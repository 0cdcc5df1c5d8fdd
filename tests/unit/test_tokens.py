"""The estimate of tokens: rather too high than too low, and nearer the more a provider has counted."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.tokens import HIGHEST, LOWEST, Ratio, capacity, estimate, rough

SAMPLES = [*sorted(Path("infra/samples/documents").glob("*.txt")), Path("README.md")]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("invoice", 2), ("2026-10-07", 6), ("Total: 240.00 EUR\n", 9), ("é", 2), ("漢字", 4)],
)
def test_a_text_is_counted_in_pieces_as_tokenizers_cut_them(text: str, tokens: int) -> None:
    assert rough(text) == tokens


@given(st.text(), st.text())
def test_two_texts_have_at_most_the_tokens_of_both(first: str, second: str) -> None:
    assert rough(first + second) <= rough(first) + rough(second)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_prose_is_counted_above_four_letters_a_token(path: Path) -> None:
    text = path.read_text("utf-8", "replace")
    assert len(text) / 4 <= rough(text) <= len(text) / 1.5


def test_the_first_answers_never_lower_the_estimate_and_later_ones_do() -> None:
    ratio = Ratio()
    for _ in range(4):
        ratio = ratio.learned(1000, 600)
        assert estimate(ratio, 1000) >= 1000
    for _ in range(60):
        ratio = ratio.learned(1000, 600)
    assert 600 <= estimate(ratio, 1000) <= 700


def test_one_answer_above_the_estimate_raises_it_at_once() -> None:
    ratio = Ratio().learned(1000, 1500)
    assert estimate(ratio, 1000) > 1500


@given(st.lists(st.floats(0.7, 1.3), min_size=30, max_size=60), st.floats(0.7, 1.3))
def test_nearly_no_text_lies_above_the_estimate(ratios: list[float], last: float) -> None:
    ratio = Ratio()
    for seen in ratios:
        ratio = ratio.learned(10_000, round(10_000 * seen))
    spread = max(ratios) - min(ratios)
    assert ratio.high >= sum(ratios) / len(ratios) - spread
    assert LOWEST <= ratio.learned(10_000, round(10_000 * last)).high <= HIGHEST


@pytest.mark.parametrize(("roughly", "counted"), [(10, 500), (1000, 0), (1000, -1)])
def test_a_short_question_and_a_provider_that_does_not_count_teach_nothing(roughly: int, counted: int) -> None:
    assert Ratio().learned(roughly, counted) == Ratio()


def test_a_mad_count_is_not_believed() -> None:
    assert Ratio().learned(1000, 10**9).high <= HIGHEST


def test_what_a_provider_found_too_long_is_not_thought_to_fit_again() -> None:
    ratio = Ratio(seen=9, mean=0.5)
    assert estimate(ratio, 10_000) < 8_000
    assert estimate(ratio.refused(10_000, 8_000), 10_000) > 8_000


@given(st.integers(2, 10**6), st.floats(0.4, 3.9))
def test_what_is_said_to_have_room_fits(tokens: int, mean: float) -> None:
    ratio = Ratio(seen=9, mean=mean)
    assert estimate(ratio, capacity(ratio, tokens)) <= tokens
