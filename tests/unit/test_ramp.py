"""After a recovery calls come back by and by: twice as many every second, then all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.core import breaker as rules
from shared.core import ramp
from shared.core.breaker import Breaker, BreakerPolicy
from shared.core.failures import Failure
from shared.core.ramp import Passed
from shared.core.tally import Tally

POLICY = BreakerPolicy(threshold=1, ramp=8.0)
START = 1_700_000_000_000
SECOND = 1000


def recovered() -> Breaker:
    opened = rules.record(POLICY, rules.closed(START), START, "me", Tally().plus(Failure.TIMEOUT))
    probing, _ = rules.ask(POLICY, opened, opened.until, "me")
    return rules.record(POLICY, probing, opened.until, "me", Tally().plus(None))


def passing(breaker: Breaker, now: int, asked: int, passed: Passed) -> tuple[Passed, int]:
    """How many of so many calls pass at once."""
    through = 0
    for _ in range(asked):
        passed, passes = ramp.passes(breaker, now, passed)
        through += passes
    return passed, through


def test_twice_as_many_pass_every_second_and_all_of_them_in_less_than_ten() -> None:
    breaker, passed, through = recovered(), Passed(), []
    for second in range(10):
        passed, calls = passing(breaker, breaker.since + second * SECOND, 1000, passed)
        through.append(calls)
    assert through == [4, 8, 16, 32, 64, 128, 256, 512, 1000, 1000]


def test_who_is_refused_is_told_when_more_may_pass() -> None:
    breaker = recovered()
    assert ramp.next_step(breaker, breaker.since + 200) == 0.8
    assert rules.full_in(breaker, breaker.since + 200) == 7.8


def test_a_second_recovery_begins_anew() -> None:
    breaker = recovered()
    passed, _ = passing(breaker, breaker.since, 10, Passed())
    again = rules.closed(breaker.since + 300 * SECOND, ramp=POLICY.ramp)
    assert passing(again, again.since, 10, passed)[1] == 4


def test_what_an_operator_resets_is_full_at_once() -> None:
    breaker = rules.reset(rules.trip(recovered(), START, "operator", "x"), START, "operator")
    assert passing(breaker, breaker.since, 1000, Passed())[1] == 1000


def test_a_failure_in_the_ramp_opens_it_as_ever() -> None:
    breaker = recovered()
    assert rules.record(POLICY, breaker, breaker.since, "me", Tally().plus(Failure.TIMEOUT)).until > breaker.until


@given(st.lists(st.integers(-2_000, 9_000), max_size=60))
def test_no_clock_lets_more_through_than_the_steps_it_shows(moments: list[int]) -> None:
    breaker, passed, through = recovered(), Passed(), 0
    for moment in sorted(moments):
        before = passed
        passed, passes = ramp.passes(breaker, breaker.since + moment, passed)
        through += passes and before != passed
    assert through <= 4 + 8 + 16 + 32 + 64 + 128 + 256 + 512
