"""Lag: in records and in seconds, also of records that nobody has read yet."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.core.lag import MOST, Ends, Lag, Lags, Reach

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PLACE = ("documents.ingest", 3)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_what_is_held_counts_with_its_own_age() -> None:
    ends = Ends([(at(0), 10)])
    assert ends.lag(Reach(held=2, ahead=10, oldest=at(-30)), at(5)) == Lag(2, 35)


def test_what_nobody_has_read_waits_since_the_end_was_seen_beyond_it() -> None:
    ends = Ends()
    for moment, end in ((0, 10), (10, 10), (20, 14), (30, 20)):
        ends.note(at(moment), end)
    assert ends.lag(Reach(held=0, ahead=10), at(50)) == Lag(10, 30)
    assert ends.lag(Reach(held=0, ahead=14), at(50)) == Lag(6, 20)
    assert ends.lag(Reach(held=0, ahead=20), at(50)) == Lag(0, 0)


def test_the_marker_behind_an_end_that_was_met_is_no_record() -> None:
    assert Ends([(at(0), 11)]).lag(Reach(held=0, ahead=11), at(9)) == Lag(0, 0)


def test_a_clock_that_goes_back_makes_no_negative_wait() -> None:
    assert Ends([(at(0), 5)]).lag(Reach(held=1, ahead=5, oldest=at(60)), at(0)) == Lag(1, 0)


def test_partitions_that_come_and_go_keep_nothing_behind() -> None:
    lags, other = Lags(), ("documents.ingest", 4)
    assert lags.look({PLACE: Reach(0, 0)}, {PLACE: 5, other: 9}, at(0)) == {PLACE: Lag(5, 0)}
    assert lags.look({PLACE: Reach(0, 0), other: Reach(0, 0)}, {PLACE: 5}, at(10)) == {PLACE: Lag(5, 10)}
    assert lags.look({}, {PLACE: 5}, at(20)) == {}
    assert lags.look({PLACE: Reach(0, 0)}, {PLACE: 5}, at(30)) == {PLACE: Lag(5, 0)}


@given(st.lists(st.integers(0, 50), min_size=1, max_size=3 * MOST))
def test_however_often_the_end_moves_memory_is_bounded_and_a_wait_never_too_long(steps: list[int]) -> None:
    ends, end, first = Ends(), 0, {}
    for second, step in enumerate(steps):
        end += step
        ends.note(at(second), end)
        first.setdefault(end, second)
    assert len(ends.seen) <= MOST
    for offset in (0, end // 2, end - 1, end):
        found, true = ends.beyond(offset), min((t for e, t in first.items() if e > offset), default=None)
        assert (found is None) == (true is None)
        assert found is None or found >= at(true or 0)
