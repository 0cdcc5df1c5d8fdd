"""A dependency that answers may hold every slot; one that hangs holds half, and what it holds beyond is set aside."""

from hypothesis import given
from hypothesis import strategies as st

from shared.core.bulkhead import Bulkhead, BulkheadPolicy

POLICY = BulkheadPolicy(slots=10)
NAME = "model:large"


def busy(count: int, seconds: float = 1.0) -> tuple[Bulkhead, list[int], float]:
    """A process that has seen calls of that length, and has so many running from `now` on."""
    bulkhead, now = Bulkhead(POLICY), 0.0
    for _ in range(40):
        number = bulkhead.enter(NAME, now)
        now += seconds
        bulkhead.leave(NAME, number or 0, now)
    return bulkhead, [bulkhead.enter(NAME, now) or 0 for _ in range(count)], now


def test_a_dependency_that_answers_may_hold_every_slot() -> None:
    bulkhead, running, now = busy(10)
    assert all(running)
    assert bulkhead.set_aside(now + 1.5) == 0
    assert bulkhead.enter(NAME, now + 1.5) is not None


def test_one_that_hangs_is_given_no_more_than_half_and_the_rest_is_set_aside() -> None:
    bulkhead, _, now = busy(10)
    assert bulkhead.set_aside(now + 3.0) == 5
    assert bulkhead.enter(NAME, now + 3.0) is None
    assert bulkhead.enter("model:small", now + 3.0) is not None


def test_one_that_hangs_may_still_have_its_half() -> None:
    bulkhead, running, now = busy(4)
    assert bulkhead.enter(NAME, now + 60.0) is not None
    assert bulkhead.set_aside(now + 60.0) == 0
    assert len(running) == 4


def test_a_single_end_means_that_it_hangs_no_longer() -> None:
    bulkhead, running, now = busy(10)
    bulkhead.leave(NAME, running[-1], now + 3.0)
    assert bulkhead.set_aside(now + 3.1) == 0


def test_calls_that_ran_into_their_timeout_are_no_sign_of_life() -> None:
    bulkhead, running, now = busy(10)
    bulkhead.leave(NAME, running[0], now + 90.0, answered=False)
    assert bulkhead.set_aside(now + 90.1) == 4
    assert bulkhead.enter(NAME, now + 90.1) is None


def test_long_calls_that_began_together_do_not_hang_before_they_are_overdue() -> None:
    bulkhead, _, now = busy(10, seconds=20.0)
    assert bulkhead.set_aside(now + 39.0) == 0
    assert bulkhead.set_aside(now + 41.0) == 5


def test_before_anything_has_ended_it_is_given_time() -> None:
    bulkhead = Bulkhead(POLICY)
    for _ in range(10):
        bulkhead.enter(NAME, 0.0)
    assert bulkhead.set_aside(15.0) == 0
    assert bulkhead.set_aside(21.0) == 5


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans(), st.floats(0, 30))))
def test_whatever_happens_the_others_can_always_begin_and_what_is_set_aside_stays_below_what_runs(
    steps: list[tuple[str, bool, float]],
) -> None:
    bulkhead, now = Bulkhead(POLICY), 0.0
    running: dict[str, list[int]] = {"a": [], "b": []}
    for name, begins, passes in steps:
        now += passes
        if begins and (number := bulkhead.enter(name, now)) is not None:
            running[name].append(number)
        elif running[name]:
            bulkhead.leave(name, running[name].pop(), now)
        beyond = sum(max(0, len(numbers) - POLICY.most) for numbers in running.values())
        assert 0 <= bulkhead.set_aside(now) <= beyond
        assert bulkhead.enter("c", now) is not None
        bulkhead.leave("c", max(bulkhead._calls["c"].began), now)
