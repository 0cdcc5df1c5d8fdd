"""How much a process holds: what waits keeps nobody from the handler, and no tier takes the room of another one."""

import pytest

from shared.core.errors import Misconfigured
from shared.core.progress import MAX_INCOMPLETE
from shared.runtime.flow.room import Limits, limits_for
from shared.runtime.flow.share import Finished, Taken
from shared.runtime.flow.shares import Shares
from shared.settings import load
from tests.pipeline.tiny.pipeline import TICKETS, TRIAGE
from tests.unit.records import TOPIC, owning, taken

TOPICS = TICKETS.topics(TRIAGE)
SHORT, LONG = TOPICS.retries
AMPLE = Limits(100_000, 1 << 30)
SIZE = len(b"bytes")


def waiting(shares: Shares, count: int, *, topic: str = TOPIC, partition: int = 0) -> list[Taken]:
    start = shares.standing().held
    records = taken(shares, [b"a"] * count, topic=topic, partition=partition, start=start)
    for record in records:
        shares.wait(record)
    return records


def test_a_process_takes_up_four_times_what_it_may_have_in_flight() -> None:
    assert limits_for(1000) == Limits(records=4000, in_flight=1000, slow=True)
    assert limits_for(1).records == 100


@pytest.mark.parametrize("wrong", ["0", "-1", "many", "10001"])
def test_what_cannot_be_in_flight_is_refused_with_its_name(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("PENSTOCK_IN_FLIGHT", wrong)
    with pytest.raises(Misconfigured, match="in_flight"):
        load()


def test_room_counts_records_until_they_are_committed() -> None:
    shares = owning(0, limits=Limits(10, 1000))
    begun = shares.begin(taken(shares, [b"a", b"b"]))
    assert shares.room() == 8
    shares.finish([Finished(one) for one in begun])
    ours, _ = shares.complete(shares.await_finished(0, 10))
    shares.committed(ours)
    assert shares.room() == 10


def test_room_counts_bytes_until_they_are_committed() -> None:
    shares = owning(0, limits=Limits(10, 2 * SIZE))
    begun = shares.begin(taken(shares, [b"a", b"b"]))
    assert shares.room() == 0
    shares.finish([Finished(one) for one in begun])
    ours, _ = shares.complete(shares.await_finished(0, 10))
    assert shares.room() == 0
    shares.committed(ours)
    assert shares.room() == 10


def test_room_is_that_of_the_tightest_partition() -> None:
    shares = owning(0, 1, limits=AMPLE)
    taken(shares, [b"a"] * (MAX_INCOMPLETE - 60))
    assert shares.room() == 60


def test_a_full_partition_is_held_back_and_stops_no_other() -> None:
    shares = owning(0, 1, limits=AMPLE)
    taken(shares, [b"a"] * (MAX_INCOMPLETE - 3))
    full = shares.full()
    assert [partition for _, partition in full] == [0]
    assert shares.room() == 3
    assert shares.room(full) == MAX_INCOMPLETE


def test_without_partitions_there_is_room_to_be_polled() -> None:
    assert Shares(Limits(10, 10)).room() == 10


def test_what_waits_takes_nobodys_place() -> None:
    shares = owning(0, limits=Limits(20, 1000))
    records = waiting(shares, 10)
    assert shares.room() == 20
    shares.go_on(records[0])
    assert shares.room() == 19


def test_half_the_room_may_wait_and_then_half_a_window() -> None:
    shares = owning(0, limits=Limits(8, 1000))
    [*_, last] = waiting(shares, 3)
    assert shares.may_wait(last)
    [one] = waiting(shares, 1)
    assert not shares.may_wait(one)
    wide = owning(0, 1, limits=AMPLE)
    [*_, one] = waiting(wide, MAX_INCOMPLETE // 2)
    [elsewhere] = taken(wide, [b"b"], partition=1)
    assert not wide.may_wait(one)
    assert wide.may_wait(elsewhere)


def test_half_the_bytes_may_wait() -> None:
    shares = owning(0, limits=Limits(100, 4 * SIZE))
    [one] = waiting(shares, 1)
    assert shares.may_wait(one)
    [two] = waiting(shares, 1)
    assert not shares.may_wait(two)


def test_what_was_parked_before_waits_where_it_is() -> None:
    shares = owning(0, topics=TOPICS, limits=Limits(2, 1000))
    waiting(shares, 5)
    [parked] = taken(shares, [b"b"], topic=TOPICS.parked)
    assert shares.may_wait(parked)


def test_a_stage_that_lives_by_one_thing_takes_no_more_than_its_room_to_wait() -> None:
    shares = owning(0, limits=Limits(5, 1000))
    waiting(shares, 4)
    assert shares.room() > 0
    waiting(shares, 1)
    assert shares.room() == 0


def test_a_parked_partition_is_held_back_when_it_has_its_part() -> None:
    shares = owning(0, 1, topics=TOPICS, limits=Limits(8, 1000))
    waiting(shares, 2, topic=TOPICS.parked)
    assert shares.full() == {(TOPICS.parked, 0)}
    assert shares.room(shares.full()) == 8


def test_large_retries_hold_back_their_own_tier_only() -> None:
    shares = owning(0, topics=TOPICS, limits=Limits(100, 6 * SIZE))
    waiting(shares, 1, topic=LONG)
    assert shares.full() == {(LONG, 0)}
    assert shares.room(shares.full()) == 100


def test_many_small_retries_hold_nothing_back() -> None:
    shares = owning(0, topics=TOPICS, limits=Limits(8, 1 << 20))
    waiting(shares, 50, topic=SHORT)
    assert shares.full() == frozenset()
    assert shares.room() == 8


def test_an_input_partition_is_early_until_its_retries_were_read() -> None:
    shares = owning(0, 1, topics=TOPICS)
    assert shares.early() == {(TOPIC, 0), (TOPIC, 1)}
    shares.reached_end([(name, 0) for name in (SHORT, LONG, TOPICS.parked)])
    assert shares.early() == {(TOPIC, 1)}


def test_a_retry_partition_that_is_full_holds_its_input_back_no_longer() -> None:
    shares = owning(0, topics=TOPICS, limits=AMPLE)
    shares.reached_end([(SHORT, 0), (TOPICS.parked, 0)])
    assert shares.early() == {(TOPIC, 0)}
    waiting(shares, MAX_INCOMPLETE, topic=LONG)
    assert shares.early() == frozenset()
