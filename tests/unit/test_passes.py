"""What passes tell of times: those that are cut count for as long as they are known to have lasted."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.core.passes import FEW, STORED, Load, Pass, pace, quantile, quiet, remaining

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TIMES = st.lists(st.tuples(st.floats(0, 1e6), st.booleans()), max_size=60)


def gone(name: str, came: float, stayed: float | None, out: float | None = None, stage: str = "analyze") -> Pass:
    """One that came so many seconds ago."""
    began = NOW - timedelta(seconds=came)
    ends = None if out is None else began + timedelta(seconds=out)
    left = None if stayed is None else began + timedelta(seconds=stayed)
    return Pass(
        document_id=name, stage=stage, state="waiting", came=began, left=left, out=ends, way=STORED if ends else ""
    )


def test_without_cuts_it_is_the_usual_quantile() -> None:
    times = [(float(n), True) for n in range(1, 101)]
    random.Random(1).shuffle(times)
    assert [quantile(times, share) for share in (0.5, 0.95, 0.99)] == [50.0, 95.0, 99.0]
    assert quantile([], 0.5) is None


def test_what_is_cut_makes_things_look_slower_and_never_quicker() -> None:
    over = [(1.0, True)] * 50
    assert quantile(over, 0.5) == 1.0
    assert quantile([*over, *[(100.0, False)] * 60], 0.5) is None
    assert quantile([*over, *[(0.5, False)] * 60], 0.5) == 1.0


@given(TIMES, st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_quantiles_grow_with_their_share_and_are_times_that_were_seen(
    times: list[tuple[float, bool]], one: float, other: float
) -> None:
    low, high = quantile(times, min(one, other)), quantile(times, max(one, other))
    if high is not None:
        assert low is not None
        assert low <= high
        assert (high, True) in times


@given(TIMES, st.floats(0.01, 0.99))
def test_who_is_still_under_way_never_makes_others_quicker(times: list[tuple[float, bool]], share: float) -> None:
    known = [(seconds, True) for seconds, _ in times]
    whole, cut = quantile(known, share), quantile(times, share)
    assert cut is None or (whole is not None and cut >= whole)


def test_only_those_that_were_there_as_long_tell_what_is_left() -> None:
    passes = [gone("quick", 900, 2, 4), gone("slow", 900, 20, 30), gone("here", 15, None), gone("way", 60, 40)]
    assert sorted(remaining(passes, 10, NOW)) == [(5.0, False), (20.0, True), (50.0, False)]
    assert remaining(passes, 100, NOW) == []


def test_load_is_who_is_there_and_like_is_the_latest_of_the_same() -> None:
    crowd = [gone(f"c{n}", 1000, 10, 10) for n in range(90)]
    calm = [gone(f"q{n}", 500 - 2 * n, 1, 1) for n in range(40)]
    load = Load([*crowd, *calm])
    assert load.at(NOW - timedelta(seconds=995)) == 90
    assert {one.document_id[0] for one in load.like([*crowd, *calm], 0.0, NOW)} == {"q"}
    assert quiet([*crowd, *calm], NOW) == (1.0, 1.0)
    assert quiet([], NOW) == (0.0, 0.0)


def test_pace_is_told_of_the_time_in_which_somebody_waited() -> None:
    passes = [gone(f"d{n}", 100 - n, 1) for n in range(FEW + 20)]
    rate, counted = pace(passes, "analyze", NOW - timedelta(seconds=100), NOW)
    assert (counted, rate) == (50, 0.5)
    assert pace(passes, "store", NOW - timedelta(seconds=100), NOW) == (0.0, 0)
    assert pace(passes, "analyze", NOW, NOW) == (0.0, 0)
