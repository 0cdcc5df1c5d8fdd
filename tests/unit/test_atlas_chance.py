import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.atlas.chance import log_excess, log_tail, wilson


def exact_tail(successes: int, trials: int, share: float) -> float:
    """P(X ≥ successes), term by term."""
    return sum(math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(successes, trials + 1))


@given(st.integers(0, 60), st.data(), st.floats(0.01, 0.99))
def test_the_tail_is_the_sum_of_its_terms(trials: int, draw: st.DataObject, share: float) -> None:
    successes = draw.draw(st.integers(0, trials))
    expected = 1.0 if successes <= trials * share else exact_tail(successes, trials, share)
    assert math.exp(log_tail(successes, trials, share)) == pytest.approx(expected, rel=1e-8)


def test_the_tail_of_a_large_sample_is_no_underflow() -> None:
    assert -25_000 < log_tail(9_000, 10_000, 0.1) < -15_000


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_rate_and_lies_between_none_and_all(documents: int, draw: st.DataObject) -> None:
    failed = draw.draw(st.integers(0, documents))
    low, high = wilson(failed, documents)
    assert 0 <= low <= failed / documents <= high <= 1


def test_the_interval_is_wilsons() -> None:
    assert wilson(460, 2_000) == pytest.approx((0.2121, 0.2490), abs=1e-4)
    assert wilson(0, 30) == pytest.approx((0.0, 0.1135), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(30, 300), st.integers(30, 300), st.data())
def test_more_failures_are_never_likelier_by_chance(documents: int, others: int, draw: st.DataObject) -> None:
    failed = draw.draw(st.integers(0, documents - 1))
    others_failed = draw.draw(st.integers(0, others))
    less = log_excess(failed, documents, others_failed, others)
    assert log_excess(failed + 1, documents, others_failed, others) <= less + 1e-9
    assert log_excess(failed, documents, others_failed, others, ratio=1.5) >= less - 1e-9
