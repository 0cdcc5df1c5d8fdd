"""Who is stuck: nobody who waits for something that is known, nobody in a long queue that moves, and everybody else."""

import random
from datetime import timedelta

from shared.core.passes import FEW
from shared.core.stuck import AT_LEAST, Shut, Shuts, is_stuck, limit, limits, ripe, still
from shared.pipelines.documents import DOCUMENTS
from tests.unit.queues import WAY, at, passes_at, simulated, steady
from tests.unit.test_passes import NOW, gone

OPEN = Shut("model:sim-large", NOW - timedelta(minutes=5), "5 failures in a row", 60.0)
PAUSED = Shut("analyze", NOW - timedelta(minutes=5), "by robin: new prompt")


def test_the_limit_follows_the_last_that_left() -> None:
    slow = [gone(f"s{n}", 5000 - n, 20, stage="extract") for n in range(100)]
    assert limit(slow, NOW) == 60.0
    assert limit(slow[: FEW - 1], NOW) is None
    assert limit([gone(f"q{n}", 500 - n, 0.01) for n in range(FEW)], NOW) == AT_LEAST
    assert limits(DOCUMENTS, slow, NOW) == {"extract": 60.0}
    # What has not left says nothing: with it, one stage that stands still would explain itself.
    assert limit([*slow, *(gone(f"h{n}", 9000, None) for n in range(100))], NOW) == 60.0


def test_longer_than_that_is_stuck_unless_it_waits_for_something_that_is_known() -> None:
    assert is_stuck("waiting", NOW - timedelta(seconds=61), 60, (), NOW)
    assert not is_stuck("waiting", NOW - timedelta(seconds=59), 60, (), NOW)
    assert not is_stuck("waiting", NOW - timedelta(days=1), None, (), NOW)
    assert not is_stuck("waiting", NOW - timedelta(days=1), 60, (OPEN,), NOW)
    for state in ("parked", "in-review", "dead-lettered", "stored"):
        assert not is_stuck(state, NOW - timedelta(days=1), 60, (), NOW)


def test_a_retry_is_late_from_when_it_is_due() -> None:
    came = NOW - timedelta(seconds=600)
    due = ripe(DOCUMENTS, "analyze", "documents.analyze.retry.10m", came)
    assert due == came + timedelta(seconds=660)
    assert not is_stuck("in-retry", due, 60, (), NOW)
    assert is_stuck("in-retry", due, 60, (), NOW + timedelta(seconds=121))
    assert ripe(DOCUMENTS, "analyze", "documents.analyze", came) == came
    assert ripe(DOCUMENTS, "gone", "documents.gone", came) == came


def test_an_open_breaker_excuses_only_where_nobody_gets_past_it() -> None:
    shuts = Shuts([OPEN, Shut("database", NOW, "away")], [PAUSED])
    names = [[one.name for one in shuts.of(DOCUMENTS.stage(stage))] for stage in ("extract", "analyze", "store")]
    assert names == [[], ["analyze", "model:sim-large"], ["database"]]
    assert still([OPEN], "analyze", [gone("before", 400, 1)]) == [OPEN]
    assert still([OPEN], "analyze", [gone("in flight", 290, 1)]) == [OPEN]
    assert still([OPEN], "analyze", [gone("through another model", 10, 1)]) == []
    assert still([OPEN], "analyze", []) == [OPEN]


def test_a_batch_that_moves_makes_nobody_stuck_and_one_that_stands_makes_all_so() -> None:
    ways = simulated(sorted([*steady(2, 900, random.Random(3)), *[400.0] * 1500]), random.Random(3))
    wrong = looked = 0
    for now in range(405, 900, 5):
        passes = passes_at(ways, now)
        for stage in WAY:
            seconds = limit([one for one in passes if one.stage == stage], at(now))
            there = [one.came[stage] for one in ways if one.came[stage] <= now < one.left[stage]]
            looked += len(there)
            wrong += sum(is_stuck("waiting", at(came), seconds, (), at(now)) for came in there)
    assert looked > 10_000
    assert wrong / looked < 0.001
    # From 450 on nobody leaves: after a while everybody who is there is told.
    passes = [one for one in passes_at(ways, 450) if one.stage == "analyze"]
    there = [one.came["analyze"] for one in ways if one.came["analyze"] <= 450 < one.left["analyze"]]
    seconds = limit(passes, at(450))
    assert there
    assert all(is_stuck("waiting", at(came), seconds, (), at(1000)) for came in there)
