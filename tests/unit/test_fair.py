"""Every partition gets its part of the room: whoever has more stands back for who has less, and for no longer."""

import pytest

from shared.kafka_port import Partition
from shared.runtime.flow.fair import LOOK_SECONDS, Fair
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
    assert Fair(filled(30, 0)).standing_back(lambda: behind(HOG, OTHER), 0.0) == {HOG}


@pytest.mark.parametrize(
    ("counts", "known"),
    [
        ((30, 0), behind(HOG)),
        ((20, 20), behind(HOG, OTHER)),
        ((30, 10), behind(HOG, OTHER)),
        ((15, 0), behind(HOG, OTHER)),
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


def test_it_ends_when_the_other_has_half_of_its_part() -> None:
    shares = filled(30, 0)
    fair = Fair(shares)
    assert fair.standing_back(lambda: behind(OTHER), 0.0)
    taken(shares, [b"1"] * 9, partition=1)
    fair.polled(everything=False)
    assert fair.standing_back(lambda: behind(OTHER), 0.01) == {HOG}
    taken(shares, [b"1"], partition=1, start=9)
    assert fair.standing_back(lambda: behind(OTHER), 0.02) == frozenset()


def test_it_ends_when_all_that_could_be_had_was_brought_and_does_not_begin_anew_at_once() -> None:
    fair = Fair(filled(30, 0))
    assert fair.standing_back(lambda: behind(OTHER), 0.0)
    fair.polled(everything=True)
    assert fair.standing_back(lambda: behind(OTHER), 0.01) == frozenset()
    assert fair.standing_back(lambda: behind(OTHER), LOOK_SECONDS + 0.01) == {HOG}


def test_who_stood_back_waits_for_the_others_also_with_less_than_its_part() -> None:
    shares = filled(21, 10, 0)
    fair = Fair(shares)
    assert fair.standing_back(lambda: behind((TOPIC, 2)), 0.0) == {HOG}
    taken(shares, [b"1"] * 5, partition=1, start=10)
    assert fair.standing_back(lambda: behind((TOPIC, 2)), 0.01) == {HOG, OTHER}
