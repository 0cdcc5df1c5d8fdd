"""How fast a replay goes, and when it stops."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.pacing import Count, PacePolicy, room, too_many, verdict

POLICY = PacePolicy(rate=10.0, in_flight=50, worst=0.5, least=4)


def test_so_many_go_a_second_and_the_first_one_at_once() -> None:
    assert room(POLICY, Count(), 0, 0.0) == 1
    assert room(POLICY, Count(10, 10), 10, 1.0) == 1
    assert room(POLICY, Count(11, 11), 11, 1.0) == 0


def test_what_is_under_way_holds_the_rest_back() -> None:
    assert room(POLICY, Count(sent=50, ended=0), 0, 100.0) == 0
    assert room(POLICY, Count(sent=50, ended=7), 0, 100.0) == 7


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.floats(0, 1e6))
def test_there_is_never_less_than_no_room(sent: int, ended: int, seconds: float) -> None:
    assert 0 <= room(POLICY, Count(sent, min(sent, ended)), sent, seconds) <= POLICY.in_flight


@pytest.mark.parametrize(
    ("ended", "failed", "stops"), [(3, 3, False), (4, 2, False), (4, 3, True), (100, 50, False), (100, 51, True)]
)
def test_it_stops_where_more_than_the_share_failed_and_enough_have_ended(ended: int, failed: int, stops: bool) -> None:
    assert too_many(POLICY, Count(200, ended, failed), POLICY.least) is stops


def test_nothing_is_judged_before_anything_has_ended() -> None:
    assert not too_many(POLICY, Count(5, 0, 0), 0)
    assert verdict(Count(9, 4, 3)) == "3 of 4 that ended have failed again"
