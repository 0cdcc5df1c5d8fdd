"""Attempts, backoff and tiers: the table of the README, and a policy that cannot hold is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.errors import Misconfigured
from shared.core.retry import JITTER, RetryPolicy


@pytest.mark.parametrize(("attempt", "tier"), [(1, 1), (2, 2), (3, None), (4, None)])
def test_each_attempt_has_its_tier_until_none_is_left(attempt: int, tier: int | None) -> None:
    assert RetryPolicy().tier(attempt, None) == tier


@pytest.mark.parametrize(("after", "tier"), [(0.0, 1), (5.0, 1), (5.1, 2), (61.0, 3), (86_400.0, 3)])
def test_what_the_other_side_asks_is_rounded_up_to_a_tier_or_down_to_the_longest(after: float, tier: int) -> None:
    assert RetryPolicy().tier(1, after) == tier


def test_the_backoff_doubles_and_stops() -> None:
    assert [RetryPolicy().backoff(attempt) for attempt in range(1, 8)] == [4, 8, 16, 32, 60, 60, 60]


@given(st.integers(1, 3), st.text())
def test_a_delay_is_its_tier_and_at_most_a_tenth_more(tier: int, salt: str) -> None:
    policy = RetryPolicy()
    delay = policy.delay(tier, salt)
    assert policy.tiers[tier - 1] <= delay <= policy.tiers[tier - 1] * (1 + JITTER)
    assert delay == policy.delay(tier, salt)


def test_records_that_failed_together_do_not_come_back_together() -> None:
    assert len({RetryPolicy().delay(1, str(n)) for n in range(100)}) > 90


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"attempts": 0}, "0 attempts"),
        ({"tiers": ()}, "need a tier"),
        ({"tiers": (60.0, 5.0)}, "each longer than the one before"),
        ({"tiers": (5.0, 5.0)}, "each longer than the one before"),
        ({"tiers": (0.0, 5.0)}, "each longer than the one before"),
    ],
)
def test_a_policy_that_cannot_hold_is_refused(policy: dict[str, Any], said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        RetryPolicy(**policy)


def test_a_stage_that_tries_once_needs_no_tier() -> None:
    assert RetryPolicy(attempts=1, tiers=()).tier(1, None) is None
