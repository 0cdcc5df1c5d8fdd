"""Figures from measurements: percentiles, shares, goals, and scenarios put together."""

import math

import pytest

from infra.bench.figures import GOALS, Goal, percentile, rate, share_of_ideal, together


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert [percentile(values, share) for share in (0.0, 0.5, 0.95, 0.99, 1.0)] == [1, 50, 95, 99, 100]
    assert percentile([7.0], 0.99) == 7.0


def test_nothing_measured_has_no_percentile() -> None:
    assert math.isnan(percentile([], 0.5))


def test_ten_thousand_calls_of_half_a_second_two_hundred_at_once_ideally_take_25_seconds() -> None:
    assert share_of_ideal(10_000, 0.5, 200, took=25.0) == 1.0
    assert share_of_ideal(10_000, 0.5, 200, took=50.0) == 0.5


def test_a_rate_counts_what_lies_between_two_moments() -> None:
    assert rate([0.5, 1.0, 1.5, 2.0, 3.0], 1.0, 3.0) == 1.5


def test_counts_add_up_over_scenarios_and_the_rest_stands_side_by_side() -> None:
    whole = together([{"lost": 1, "slow_calls_200": 0.98}, {"lost": 2, "retry_early": 0}])
    assert whole == {"lost": 3, "slow_calls_200": 0.98, "retry_early": 0}


@pytest.mark.parametrize(
    ("goal", "said", "good", "bad"),
    [(Goal(0, 0), "0", 0, 1), (Goal(least=0.97), "≥ 0.97", 0.97, 0.96), (Goal(most=10), "≤ 10", 9.9, 10.1)],
)
def test_a_goal_says_what_meets_it(goal: Goal, said: str, good: float, bad: float) -> None:
    assert (str(goal), goal.met(good), goal.met(bad)) == (said, True, False)


def test_a_figure_that_could_not_be_taken_meets_no_goal() -> None:
    assert not any(goal.met(math.nan) for goal in GOALS.values())
