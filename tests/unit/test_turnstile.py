"""What may be begun when: never before a commit says so where that counts, and fewer after crashes."""

from collections import deque
from collections.abc import Sequence

from shared.core.poison import CALM, Suspicion
from shared.core.progress import encode
from shared.kafka_port import Offset
from shared.runtime.flow.room import Limits
from shared.runtime.flow.share import Finished, Taken
from shared.runtime.flow.shares import Shares
from tests.unit.crashes import after, commit
from tests.unit.records import TOPIC, opened, owning, taken


def begin(shares: Shares, waiting: deque[Taken]) -> list[Taken]:
    begun, lost = shares.begin_next(waiting, 100)
    assert lost == []
    return begun


def end(shares: Shares, records: Sequence[Taken]) -> None:
    shares.finish([Finished(one) for one in records])


def test_nothing_is_begun_before_a_commit_says_that_somebody_works_on_the_partition() -> None:
    shares = Shares()
    shares.add([Offset(TOPIC, 0, 0, "")])
    [record] = taken(shares, [b"a"])
    assert not shares.may_begin(record)
    assert shares.again()
    assert commit(shares) == [Suspicion(open=True)]
    assert shares.may_begin(record)
    assert not shares.again()


def test_partitions_with_work_are_opened_together_and_those_whose_records_all_wait_are_not() -> None:
    shares = Shares()
    shares.add([Offset(TOPIC, number, 0, "") for number in range(4)])
    first = taken(shares, [b"a"], partition=0)[0]
    taken(shares, [b"b"], partition=1)
    shares.wait(taken(shares, [b"c"], partition=2)[0])
    assert not shares.may_begin(first)
    _, told = shares.complete([])
    assert [one.offset.partition for one in told] == [0, 1]


def test_a_partition_without_work_counts_no_crash_however_often_its_owner_is_killed() -> None:
    kept = Offset(TOPIC, 0, 5, encode(5, -1, [], Suspicion(open=True)))
    for _ in range(20):
        shares = Shares()
        shares.add([kept, Offset(TOPIC, 1, 0, "")])
        shares.may_begin(taken(shares, [b"a"], partition=1)[0])
        _, told = shares.complete([])
        assert [one.offset.partition for one in told] == [1]
    assert shares.standing().window == shares.limits.in_flight, "it narrows nobody's window"


def test_after_a_crash_half_as_many_are_in_hand_until_all_suspects_have_run() -> None:
    shares = after(1)
    waiting = deque(taken(shares, [b"a"] * 40))
    assert len(begin(shares, waiting)) == 8
    for _ in range(2):
        end(shares, begin(shares, waiting))
    assert shares.standing().window == 8
    assert shares.standing().suspected == 1


def test_the_window_is_full_again_at_once_when_as_many_are_done_as_may_have_been_in_hand() -> None:
    shares = after(2)
    waiting = deque(taken(shares, [b"a"] * 40))
    ended = 0
    while shares.standing().suspected:
        begun = begin(shares, waiting)
        assert len(begun) == 4
        end(shares, begun)
        ended += 4
        commit(shares)
    assert ended == 8, "as many as the window was before the last crash"
    assert len(begin(shares, waiting)) == 32


def test_the_window_is_full_again_when_nothing_is_left_of_what_was_there() -> None:
    shares = after(3)
    end(shares, begin(shares, deque(taken(shares, [b"a"]))))
    assert commit(shares) == [Suspicion(open=True)]
    assert shares.standing().window == shares.limits.in_flight


def test_what_is_finished_and_not_committed_is_still_in_hand() -> None:
    shares = after(4)
    waiting = deque(taken(shares, [b"a"] * 3))
    assert begin(shares, waiting) == []
    commit(shares)
    [first] = begin(shares, waiting)
    end(shares, [first])
    assert begin(shares, waiting) == [], "a crash now would be taken for one of the next record"


def test_one_that_runs_alone_is_named_by_a_commit_before_it_begins() -> None:
    shares = after(4)
    waiting = deque(taken(shares, [b"a"] * 3))
    for offset in range(2):
        assert begin(shares, waiting) == []
        [said] = commit(shares)
        assert said.running == offset
        [record] = begin(shares, waiting)
        end(shares, [record])
        [said] = commit(shares)
        assert said.running is None


def test_the_name_is_taken_back_before_another_partition_runs_beside_others() -> None:
    shares = after(4, 1)
    alone = taken(shares, [b"a"], partition=0)
    shares.may_begin(alone[0])
    commit(shares)
    [begun] = shares.begin(alone)
    shares.rest(begun)
    others = deque(taken(shares, [b"b"] * 3, partition=1))
    assert begin(shares, others) == []
    assert commit(shares)[0].running is None
    assert len(begin(shares, others)) == 3


def test_others_of_the_process_make_room_for_one_that_must_run_alone() -> None:
    shares = after(4)
    shares.add([Offset(TOPIC, 1, 0, "")])
    opened(shares)
    calm = shares.begin(taken(shares, [b"b"], partition=1))
    [suspect] = taken(shares, [b"a"], partition=0)
    assert not shares.may_begin(suspect)
    end(shares, calm)
    commit(shares)
    shares.may_begin(suspect)
    commit(shares)
    assert shares.may_begin(suspect)


def test_what_still_runs_of_a_lost_partition_is_in_hand_too() -> None:
    shares = after(4)
    shares.add([Offset(TOPIC, 1, 0, "")])
    opened(shares)
    lost = shares.begin(taken(shares, [b"b"], partition=1))
    shares.drop([(TOPIC, 1)])
    [suspect] = taken(shares, [b"a"], partition=0)
    shares.may_begin(suspect)
    commit(shares)
    assert not shares.may_begin(suspect), "the lost one could kill the process while this one bears the name"
    end(shares, lost)
    commit(shares)
    shares.may_begin(suspect)
    commit(shares)
    assert shares.may_begin(suspect)


def test_a_suspected_partition_that_leaves_takes_its_window_along() -> None:
    shares = after(3)
    taken(shares, [b"a"])
    assert shares.standing().window == 2
    shares.drop([(TOPIC, 0)])
    assert shares.standing().window == shares.limits.in_flight


def test_a_record_that_ran_alone_at_two_crashes_is_not_run_again() -> None:
    kept = Suspicion(True, 6, 0, running=1, suspect=1, alone=1)
    shares = Shares(Limits(in_flight=16))
    shares.add([Offset(TOPIC, 0, 0, encode(0, -1, [], kept))])
    good, guilty, other = taken(opened(shares), [b"a", b"b", b"c"])
    assert "2 times" in guilty.verdict
    assert (good.verdict, other.verdict) == ("", "")


def test_a_condemned_record_that_is_fetched_late_is_not_forgotten_before() -> None:
    kept = Suspicion(True, 6, 0, running=9, suspect=9, alone=1)
    shares = Shares(Limits(in_flight=16))
    shares.add([Offset(TOPIC, 0, 0, encode(0, -1, [], kept))])
    first = taken(opened(shares), [b"a"])
    for _ in range(2):
        shares.may_begin(first[0])
        commit(shares)
    end(shares, shares.begin(first))
    [said] = commit(shares)
    assert said.suspect == 9
    [guilty] = taken(shares, [b"b"], start=9)
    assert guilty.verdict
    end(shares, shares.begin([guilty]))
    assert commit(shares) == [Suspicion(open=True)]


def test_a_partition_that_leaves_is_closed_after_its_results() -> None:
    shares = owning(0)
    end(shares, shares.begin(taken(shares, [b"a"])))
    assert not shares.drain([(TOPIC, 0)], 0)
    assert commit(shares) == [CALM]


def test_what_a_leaving_partition_gives_up_at_the_deadline_is_no_crash() -> None:
    shares = owning(0)
    shares.begin(taken(shares, [b"a"]))
    assert not shares.drain([(TOPIC, 0)], 0)
    assert commit(shares) == [CALM]


def test_a_lost_partition_is_not_closed() -> None:
    shares = owning(0)
    taken(shares, [b"a"])
    shares.drop([(TOPIC, 0)])
    assert shares.complete([]) == ([], [])
