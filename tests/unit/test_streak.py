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


def begun(calls: int) -> Streak:
    streak = Streak()
    for _ in range(calls):
        streak.begin()
    return streak


def failed(streak: Streak, *numbers: int) -> list[int]:
    """They fail one after the other; gives the row that each is in."""
    return [streak.end(number, failed=True).row for number in numbers]


def test_an_answer_to_an_older_call_leaves_the_row_as_it_is() -> None:
    streak = begun(10)
    assert failed(streak, 10) == [1]
    assert streak.end(9, failed=False).outlived
    streak.begin()
    assert failed(streak, 11) == [2]


def test_an_answer_to_a_newer_call_ends_it() -> None:
    streak = begun(10)
    assert failed(streak, 8) == [1]
    assert not streak.end(10, failed=False).outlived
    assert failed(streak, 9) == [0]
    streak.begin()
    assert failed(streak, 11) == [1]


def test_failures_among_calls_under_way_are_no_row_unless_they_began_one_after_the_other() -> None:
    streak = begun(10)
    assert failed(streak, 2, 4, 6, 7, 9) == [1, 1, 1, 2, 1]
    standing = streak.end(5, failed=True)
    assert (standing.row, standing.newest, standing.open) == (4, False, 4), "4 to 7"
    assert not streak.end(1, failed=False).outlived, "where there is no row up to the newest call any answer ends it"


def test_failures_that_come_in_between_older_answers_are_in_a_row_when_all_of_them_have_come() -> None:
    streak = begun(10)
    for number in (6, 8, 7):
        assert not streak.end(number, failed=True).newest
        assert not streak.end(number - 5, failed=False).outlived
    standing = streak.end(10, failed=True)
    assert (standing.row, standing.newest) == (4, True), "one of five is still under way"
    assert failed(streak, 9) == [5]


def test_what_was_not_made_after_all_interrupts_no_row() -> None:
    streak = begun(8)
    assert failed(streak, 1, 3, 4) == [1, 1, 2]
    streak.leave(2)
    streak.leave(2)
    assert failed(streak, 5) == [4]
    assert streak.end(6, failed=True).open == 2


def test_where_nobody_counts_each_is_the_newest() -> None:
    streak = Streak()
    assert failed(streak, 0, 0, 0) == [1, 2, 3]
    assert not streak.end(0, failed=False).outlived
    assert failed(streak, 0) == [1]


def test_what_failed_before_the_breaker_changed_does_not_count() -> None:
    streak = begun(5)
    streak.enter(1000)
    assert failed(streak, 1, 2, 3, 4)[-1] == 4
    streak.enter(2000)
    assert failed(streak, 5) == [0]
    assert failed(streak, streak.begin()) == [1]


@given(st.lists(st.tuples(st.sampled_from(["begin", "fail", "answer", "leave"]), st.integers(0, 40)), max_size=60))
def test_a_row_is_never_longer_than_the_failures_since_the_newest_answer(story: list[tuple[str, int]]) -> None:
    streak, going, lost, newest = Streak(), set[int](), set[int](), 0
    for what, which in story:
        if what == "begin":
            going.add(streak.begin())
        elif going:
            number = sorted(going)[which % len(going)]
            going.remove(number)
            if what == "leave":
                streak.leave(number)
                continue
            if what == "fail":
                lost.add(number)
            else:
                newest = max(newest, number)
            standing = streak.end(number, failed=what == "fail")
            assert standing.open == len(going)
            assert standing.row <= sum(one > newest for one in lost)
            assert standing.row > 0 or what == "answer" or number < newest


@dataclass(frozen=True)
class Seen:
    """What a simulated dependency did to its breaker."""

    failures: int
    """Calls that had failed when it opened, or at the end."""
    opened: float
    """When it opened, seconds; infinite where it did not."""


def simulated(
    fails: Callable[[random.Random, float], bool],
    seconds: float,
    seed: int,
    delay: float,
    spread: float = 0.5,
    *,
    slots: int = SLOTS,
    cold: bool = False,
) -> Seen:
    """All slots are always in use: an answered call takes `LATENCY`, more or less, a failing one only `delay`.

    `cold`: they are all taken at one moment, as by a process that starts with a backlog.
    """
    draw, streak, breaker = random.Random(seed), Streak(), rules.closed(0)
    ends: list[tuple[float, int, bool]] = []
    failures = 0

    def start(now: float) -> None:
        number, failed = streak.begin(), fails(draw, now)
        takes = delay if failed else LATENCY * draw.uniform(1 - spread, 1 + spread)
        heapq.heappush(ends, (now + takes, number, failed))

    for _ in range(slots):
        start(0.0 if cold else draw.uniform(-LATENCY, 0))
    while ends[0][0] < seconds:
        now, number, failed = heapq.heappop(ends)
        tally = Tally().plus(Failure.OVERLOADED if failed else None, streak.end(number, failed=failed))
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


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("slots", [16, 64, 256])
def test_a_few_that_fail_at_once_while_all_others_are_under_way_are_no_outage(slots: int, seed: int) -> None:
    seen = simulated(lambda draw, _: draw.random() < 0.06, 20 * LATENCY, seed, 0.01, slots=slots, cold=True)
    assert seen.opened == float("inf")


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("delay", [0.01, 5 * LATENCY])
def test_a_dependency_that_is_away_from_the_start_is_found_by_its_first_failures(delay: float, seed: int) -> None:
    seen = simulated(lambda *_: True, 20 * LATENCY, seed, delay, cold=True)
    assert (seen.failures, seen.opened) == (5, delay)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("slots", [8, 64, 256])
def test_one_that_falls_silent_is_found_by_the_first_five_that_are_given_up(slots: int, seed: int) -> None:
    """The slots of those that were given up are taken again meanwhile: most of what began later is under way."""
    seen = simulated(lambda _, now: now >= 30.0, 120.0, seed, 5 * LATENCY, slots=slots)
    assert seen.failures == 5
