"""What a process holds of its partitions: what is lost is thrown away, what is told is told with its results."""

import threading

from shared.core.progress import MAX_INCOMPLETE, decode
from shared.kafka_port import Offset
from shared.runtime.flow.room import Limits
from shared.runtime.flow.share import Finished, Standing, Taken
from shared.runtime.flow.shares import Shares
from tests.unit.records import NOW, TOPIC, delivery, owning, taken

AMPLE = Limits(100_000, 1 << 30)


def finish(shares: Shares, records: list[Taken]) -> list[Finished]:
    begun = shares.begin(records)
    shares.finish([Finished(one) for one in begun])
    return shares.await_finished(0, 1000)


def test_records_of_partitions_that_are_not_ours_are_left_out() -> None:
    shares = owning(0)
    assert shares.take([delivery(0, partition=1)]) == []


def test_what_an_earlier_owner_completed_is_not_taken_up_again() -> None:
    before = owning(0)
    records = taken(before, [b"a", b"b", b"c"])
    _, [told] = before.complete(finish(before, records[1:2]))
    after = Shares()
    after.add([told.offset])
    again = taken(after, [b"a", b"b", b"c"])
    assert [one.delivery.position.offset for one in again] == [0, 2]


def test_results_of_a_lost_partition_are_not_written() -> None:
    shares = owning(0, 1)
    lost, kept = taken(shares, [b"a"], partition=0), taken(shares, [b"b"], partition=1)
    finished = finish(shares, lost + kept)
    shares.drop([(TOPIC, 0)])
    ours, progress = shares.complete(finished)
    assert [one.taken for one in ours] == kept
    assert [one.offset.partition for one in progress] == [1]


def test_a_partition_that_comes_back_does_not_revive_what_was_taken_up_before() -> None:
    shares = owning(0)
    finished = finish(shares, taken(shares, [b"a"]))
    shares.drop([(TOPIC, 0)])
    shares.add([Offset(TOPIC, 0, 0, "")])
    assert shares.complete(finished) == ([], [])
    assert len(taken(shares, [b"a"])) == 1


def test_an_assignment_that_was_not_taken_back_before_also_begins_anew() -> None:
    shares = owning(0)
    finished = finish(shares, taken(shares, [b"a"]))
    shares.add([Offset(TOPIC, 0, 0, "")])
    assert shares.complete(finished) == ([], [])


def test_nothing_is_begun_on_a_partition_that_is_leaving() -> None:
    shares = owning(0)
    records = taken(shares, [b"a"])
    assert shares.drain([(TOPIC, 0)], 0)
    assert shares.begin(records) == []


def test_a_leaving_partition_waits_until_what_runs_is_committed() -> None:
    shares = owning(0)
    [record] = shares.begin(taken(shares, [b"a"]))
    drained: list[bool] = []
    leaving = threading.Thread(target=lambda: drained.append(shares.drain([(TOPIC, 0)], 10)))
    leaving.start()
    shares.finish([Finished(record)])
    ours, _ = shares.complete(shares.await_finished(10, 10))
    assert drained == []
    shares.committed(ours)
    leaving.join(10)
    assert drained == [True]


def test_a_drain_ends_at_its_deadline_when_a_handler_does_not() -> None:
    shares = owning(0)
    shares.begin(taken(shares, [b"a"]))
    assert not shares.drain(None, 0)


def test_a_held_record_does_not_keep_a_partition_from_leaving() -> None:
    shares = owning(0)
    [begun] = shares.begin(taken(shares, [b"a"]))
    shares.rest(begun)
    assert shares.drain([(TOPIC, 0)], 0)


def test_an_aborted_progress_is_told_again_with_the_same_results() -> None:
    shares = owning(0)
    ours, first = shares.complete(finish(shares, taken(shares, [b"a"])))
    shares.not_committed(first)
    again, second = shares.complete(ours)
    assert (again, second) == (ours, first)
    shares.committed(again)
    assert shares.complete([]) == ([], [])


def test_progress_tells_what_is_incomplete_in_between() -> None:
    shares = owning(0)
    records = taken(shares, [b"a", b"b", b"c", b"d"])
    _, [told] = shares.complete(finish(shares, [records[1], records[3]]))
    assert told.offset.offset == 0
    assert decode(0, told.offset.metadata) == (3, frozenset({0, 2}))


def test_how_things_stand_names_the_oldest_and_how_far_ahead_of_the_low_watermark_was_read() -> None:
    shares = owning(0, 1)
    records = taken(shares, [b"a"] * 10)
    shares.wait(records[0])
    assert shares.standing() == Standing(
        held=10, waiting=1, in_retry=0, paused=False, window=256, suspected=0, span=10, oldest=NOW
    )
    shares.complete(finish(shares, records))
    standing = shares.standing()
    assert (standing.held, standing.span, standing.oldest) == (0, 0, None)


def test_a_partition_taken_over_full_leaves_room_to_be_read() -> None:
    before = owning(0)
    records = taken(before, [b"a"] * (MAX_INCOMPLETE + 50))
    _, [told] = before.complete(finish(before, records[-1:]))
    after = Shares(AMPLE)
    after.add([told.offset])
    assert after.room() > 0
