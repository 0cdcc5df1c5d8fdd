"""What an answer to a call that began before a run of failures says, and what it does not."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core import breaker as rules
from shared.core.breaker import BreakerPolicy, Phase
from shared.core.failures import Failure
from shared.core.streak import Streak
from shared.core.tally import Tally

POLICY = BreakerPolicy()
SLOTS = 64
LATENCY = 2.0


def begun(streak: Streak, calls: int) -> Streak:
    for _ in range(calls):
        streak = streak.begin()
    return streak


def test_an_answer_to_an_older_call_leaves_the_row_as_it_is() -> None:
    streak = begun(Streak(), 10).end(10, failed=True)
    assert streak.outlives(9)
    assert streak.end(9, failed=False) == streak


def test_an_answer_to_a_newer_call_ends_it() -> None:
    streak = begun(Streak(), 10).end(9, failed=True)
    assert not streak.outlives(10)
    assert streak.end(10, failed=False).row == 0
    assert streak.end(10, failed=False).end(9, failed=True).row == 0


def test_while_newer_calls_are_under_way_there_is_no_row_and_any_answer_ends_it() -> None:
    streak = begun(begun(Streak(), 10).end(10, failed=True), 1)
    assert (streak.row, streak.outlives(9)) == (0, False)


def test_failures_that_come_in_between_older_answers_are_in_a_row_when_all_of_them_have_come() -> None:
    streak = begun(Streak(), 10)
    for number in (6, 8, 7):
        streak = streak.end(number, failed=True).end(number - 5, failed=False)
        assert streak.row == 0
    streak = streak.end(10, failed=True)
    assert streak.row == 4, "one of five is still under way"
    assert streak.end(9, failed=True).row == 5


def test_where_nobody_counts_every_answer_ends_the_row() -> None:
    streak = Streak().end(0, failed=True)
    assert not streak.outlives(0)
    assert streak.end(0, failed=False).row == 0


def test_what_failed_before_the_breaker_changed_does_not_count() -> None:
    streak = begun(Streak(), 5).within(1000)
    for number in range(1, 6):
        streak = streak.end(number, failed=True)
    assert streak.row == streak.within(1000).row == 5
    later = streak.within(2000)
    assert (later.row, later.begun) == (0, 5)
    assert later.end(5, failed=True).row == 0
    assert later.begin().end(6, failed=True).row == 1


@given(st.lists(st.tuples(st.sampled_from(["begin", "fail", "answer"]), st.integers(0, 40)), max_size=60))
def test_more_never_fail_than_began_whatever_is_said(story: list[tuple[str, int]]) -> None:
    streak, open_calls = Streak(), set[int]()
    for what, which in story:
        if what == "begin":
            streak = streak.begin()
            open_calls.add(streak.begun)
        elif open_calls:
            number = sorted(open_calls)[which % len(open_calls)]
            open_calls.remove(number)
            streak = streak.end(number, failed=what == "fail")
        assert streak.failed <= streak.begun - streak.first + 1
        assert (streak.failed > 0) == (streak.first > 0)


@dataclass(frozen=True)
class Seen:
    """What a simulated dependency did to its breaker."""

    failures: int
    """Calls that had failed when it opened, or at the end."""
    opened: float
    """When it opened, seconds; infinite where it did not."""


def simulated(
    fails: Callable[[random.Random, float], bool], seconds: float, seed: int, delay: float, spread: float = 0.5
) -> Seen:
    """All slots are always in use: an answered call takes `LATENCY`, more or less, a failing one only `delay`."""
    draw, streak, breaker = random.Random(seed), Streak(), rules.closed(0)
    ends: list[tuple[float, int, bool]] = []
    failures = 0

    def start(now: float) -> None:
        nonlocal streak
        streak, failed = streak.begin(), fails(draw, now)
        heapq.heappush(
            ends, (now + (delay if failed else LATENCY * draw.uniform(1 - spread, 1 + spread)), streak.begun, failed)
        )

    for _ in range(SLOTS):
        start(draw.uniform(-LATENCY, 0))
    while ends[0][0] < seconds:
        now, number, failed = heapq.heappop(ends)
        before, streak = streak, streak.end(number, failed=failed)
        tally = Tally().plus(Failure.OVERLOADED if failed else None, row=streak.row, outlived=before.outlives(number))
        breaker = rules.record(POLICY, breaker, int(now * 1000) + 10_000, "me", tally)
        failures += failed
        if breaker.phase is Phase.OPEN:
            return Seen(failures, now)
        start(now)
    return Seen(failures, float("inf"))


@pytest.mark.parametrize("spread", [0.0, 0.01, 0.5])
@pytest.mark.parametrize("seed", range(20))
def test_a_dependency_that_refuses_all_is_found_by_its_first_failures(seed: int, spread: float) -> None:
    seen = simulated(lambda _, now: now >= 30.0, 60.0, seed, 0.01, spread)
    assert 30.0 < seen.opened < 30.0 + LATENCY / 8


@pytest.mark.parametrize("spread", [0.0, 0.5])
@pytest.mark.parametrize("delay", [0.01, 0.2, LATENCY])
def test_one_that_fails_one_time_in_twenty_stays_closed_for_an_hour(delay: float, spread: float) -> None:
    seen = simulated(lambda draw, _: draw.random() < 0.05, 3600.0, 7, delay, spread)
    assert seen.opened == float("inf")
    assert seen.failures > 1000
