"""Every partition gets its part of the room: whoever has more stands back for who has less, and for no longer."""

import pytest

from shared.core.event import Partition
from shared.kafka_port import Offset
from shared.runtime.flow.fair import EMPTY_POLLS, LOOK_SECONDS, REST_SECONDS, Fair
from shared.runtime.flow.room import Limits
from shared.runtime.flow.shares import Shares
from tests.pipeline.tiny.pipeline import TICKETS, TRIAGE
from tests.unit.records import TOPIC, owning, taken

TOPICS = TICKETS.topics(TRIAGE)
LIMITS = Limits(records=40, in_flight=10, slow=True)
HOG, OTHER = (TOPIC, 0), (TOPIC, 1)


def filled(*counts: int, limits: Limits = LIMITS) -> Shares:
    """A process with so many records of each partition."""
    shares = owning(*range(len(counts)), topics=TOPICS, limits=limits)
    shares.reached_end([(topic, number) for topic in TOPICS.consumed for number in range(len(counts))])
    for number, count in enumerate(counts):
        taken(shares, [b"%d" % number] * count, partition=number)
    return shares


def behind(*partitions: Partition) -> frozenset[Partition]:
    return frozenset(partitions)


def test_who_has_more_than_its_part_stands_back_while_another_wants_some() -> None:
    assert Fair(filled(30, 9)).standing_back(lambda: behind(HOG, OTHER), 0.0) == {HOG}


def test_while_one_has_nothing_all_with_a_quarter_of_their_part_stand_back_though_there_is_room() -> None:
    assert Fair(filled(6, 0)).standing_back(lambda: behind(HOG, OTHER), 0.0) == {HOG}
    assert Fair(filled(5, 0)).standing_back(lambda: behind(HOG, OTHER), 0.0) == frozenset()


@pytest.mark.parametrize(
    ("counts", "known"),
    [
        ((30, 0), behind(HOG)),
        ((20, 20), behind(HOG, OTHER)),
        ((30, 10), behind(HOG, OTHER)),
        ((15, 1), behind(HOG, OTHER)),
        ((30,), behind(HOG)),
    ],
    ids=["nobody else has any", "all have their part", "it has half of its part", "there is room for all", "alone"],
)
def test_nobody_stands_back_for_nothing(counts: tuple[int, ...], known: frozenset[Partition]) -> None:
    assert Fair(filled(*counts)).standing_back(lambda: known, 0.0) == frozenset()


def test_where_calls_are_not_slow_nobody_stands_back() -> None:
    fair = Fair(filled(30, 0, limits=Limits(records=40)))
    assert fair.standing_back(lambda: behind(HOG, OTHER), 0.0) == frozenset()


def test_all_stand_back_for_what_comes_back_to_the_stage() -> None:
    retries = (TOPICS.retries[0], 0)
    assert Fair(filled(20, 20)).standing_back(lambda: behind(retries), 0.0) == {HOG, OTHER}
    assert Fair(filled(10, 5)).standing_back(lambda: behind(retries), 0.0) == frozenset()


def test_all_stand_back_until_the_retry_topics_of_a_new_partition_have_ended() -> None:
    shares = filled(30)
    fair = Fair(shares)
    shares.add([Offset(topic, 1, 0, "") for topic in TOPICS.consumed])
    for now in range(3):
        assert fair.standing_back(frozenset, float(now)) == {HOG, OTHER}
        fair.polled(float(now), 0, 1)
    shares.reached_end([(topic, 1) for topic in TOPICS.consumed])
    assert fair.standing_back(frozenset, 3.0) == frozenset()


def test_a_retry_topic_whose_end_does_not_come_keeps_its_own_input_waiting_only() -> None:
    shares = filled(30)
    shares.add([Offset(topic, 1, 0, "") for topic in TOPICS.consumed])
    fair = Fair(shares)
    for _ in range(EMPTY_POLLS):
        assert fair.standing_back(frozenset, 0.0)
        fair.polled(0.0, 0, 1)
    assert fair.standing_back(frozenset, 0.0) == shares.early() == {OTHER}


def test_what_may_not_be_read_yet_is_asked_for_once_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    shares, asked = filled(30), list[int]()
    shares.add([Offset(topic, 1, 0, "") for topic in TOPICS.consumed])
    early = shares.early
    monkeypatch.setattr(shares, "early", lambda: asked.append(1) or early())
    fair = Fair(shares)
    for _ in range(EMPTY_POLLS + 1):
        assert OTHER in fair.standing_back(frozenset, 0.0)
        fair.polled(0.0, 0, 1)
    assert len(asked) == EMPTY_POLLS + 1


def test_it_ends_when_the_other_has_half_of_its_part_and_does_not_begin_anew_at_once() -> None:
    shares = filled(30, 0)
    fair = Fair(shares)
    assert fair.standing_back(lambda: behind(OTHER), 0.0)
    taken(shares, [b"1"] * 9, partition=1)
    fair.polled(0.01, 9, 9)
    assert fair.standing_back(lambda: behind(OTHER), 0.01) == {HOG}
    taken(shares, [b"1"], partition=1, start=9)
    assert fair.standing_back(lambda: behind(OTHER), 0.02) == frozenset()
    taken(shares, [b"0"], start=30)
    assert fair.standing_back(lambda: behind((TOPIC, 2)), 0.02 + REST_SECONDS / 2) == frozenset()


def test_it_ends_when_a_poll_has_brought_all_that_could_be_had() -> None:
    fair = Fair(filled(30, 0))
    assert fair.standing_back(lambda: behind(OTHER), 0.0)
    fair.polled(0.01, 0, 1)
    assert fair.standing_back(lambda: behind(OTHER), 0.01) == frozenset()
    assert fair.standing_back(lambda: behind(OTHER), 0.01 + REST_SECONDS) == {HOG}


def test_who_stands_back_goes_on_to_below_its_part_until_it_is_in_want_itself() -> None:
    third = (TOPIC, 2)
    fair = Fair(filled(26, 10, 0))
    assert fair.standing_back(lambda: behind(third), 0.0) == {HOG, OTHER}
    fair._shares = filled(13, 6, 2)
    assert fair.standing_back(lambda: behind(OTHER, third), 0.01) == {HOG}


def test_it_is_looked_again_soon_and_at_once_when_a_poll_has_brought_a_whole_part() -> None:
    asked = list[int]()

    def nobody() -> frozenset[Partition]:
        asked.append(1)
        return frozenset()

    fair = Fair(filled(30, 0))
    for now, brought in ((0.0, 1), (0.01, 19), (0.02, 20), (0.03, 1)):
        fair.standing_back(nobody, now)
        fair.polled(now, brought, brought)
    assert len(asked) == 2, "at first, and after twenty of twenty"
    fair.standing_back(nobody, 0.03 + LOOK_SECONDS)
    assert len(asked) == 3


def test_one_poll_brings_no_more_than_a_part_where_calls_are_slow() -> None:
    assert filled(0, 0).part == LIMITS.records // 2
    assert filled(0, 0, limits=Limits(records=40)).part > 40
