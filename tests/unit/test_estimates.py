"""Estimates follow what the provider counts."""

from hypothesis import given
from hypothesis import strategies as st

from shared.core.estimates import FIRST_ANSWER, Estimates
from shared.core.tokens import estimate


def test_before_anything_is_known_a_question_is_as_long_as_it_seems_and_an_answer_long() -> None:
    estimates = Estimates()
    assert 400 <= estimates.question(400) <= 425
    assert (estimates.answer("qa", 4_000), estimates.answer("qa", 200)) == (FIRST_ANSWER, 200)


def test_the_ratio_follows_the_provider_at_once_and_then_slowly() -> None:
    estimates = Estimates()
    estimates.learn(1_000, "qa", 500, 10)
    assert 500 <= estimates.question(1_000) <= 530
    estimates.learn(1_000, "qa", 600, 10)
    assert 530 <= estimates.question(1_000) <= 540


def test_the_estimate_is_below_the_bound_that_windows_are_kept_by() -> None:
    estimates = Estimates()
    for counted in (500, 600, 500, 600, 500, 600):
        estimates.learn(1_000, "qa", counted, 10)
    assert 500 < estimates.question(1_000) < estimate(estimates.ratio, 1_000)


def test_a_task_is_guessed_by_its_own_answers() -> None:
    estimates = Estimates()
    for _ in range(20):
        estimates.learn(100, "qa", 25, 30)
        estimates.learn(100, "extraction", 25, 700)
    assert (estimates.answer("qa", 4_000), estimates.answer("extraction", 4_000)) == (30, 700)


def test_a_provider_that_does_not_count_teaches_nothing() -> None:
    estimates = Estimates()
    estimates.learn(100, "qa", 0, 0)
    assert estimates == Estimates()


@given(st.lists(st.integers(1, 5_000), min_size=1, max_size=100), st.integers(1, 4_000))
def test_a_guess_covers_nine_of_ten_answers_and_never_more_than_there_can_be(lengths: list[int], most: int) -> None:
    estimates = Estimates()
    for length in lengths:
        estimates.learn(100, "qa", 25, min(length, most))
    guess = estimates.answer("qa", most)
    assert guess <= most
    assert sum(min(length, most) <= guess for length in lengths) >= 0.9 * len(lengths)
