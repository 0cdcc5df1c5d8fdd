"""What the engine may rely on, of the real Kafka with either group protocol and of the one in memory."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from infra.local.parts import Endpoints
from shared.core.delivery import Delivery
from shared.core.event import Partition
from shared.kafka_port import AsOf, Fenced, Offset, Record
from tests.contract.kafkas import LARGEST, PARTITIONS, InMemory, Kafka, RealKafka


@pytest.fixture(params=["memory", "consumer", "classic"])
def kafka(request: pytest.FixtureRequest) -> Kafka:
    name = f"contract_{uuid.uuid4().hex[:8]}"
    if request.param == "memory":
        return InMemory(name)
    parts: Endpoints = request.getfixturevalue("parts")
    return RealKafka(name, parts.kafka or "", request.param)


@dataclass
class Process:
    """A member with what it has and what it read."""

    kafka: Kafka
    starts: dict[Partition, Offset] = field(default_factory=dict)
    """Where each partition that it has began."""
    given_back: list[Partition] = field(default_factory=list)
    not_yet: frozenset[Partition] = frozenset()
    """What it does not want to read when it is given it."""
    read: list[Delivery] = field(default_factory=list)
    ended: list[Partition] = field(default_factory=list)
    """Partitions of which it was told that their end was met."""

    def __post_init__(self) -> None:
        self.member = self.kafka.member(self)

    def assigned(self, offsets: Sequence[Offset]) -> frozenset[Partition]:
        self.starts |= {(o.topic, o.partition): o for o in offsets}
        return self.not_yet

    def revoked(self, partitions: Sequence[Partition]) -> None:
        self.given_back += partitions
        self.lost(partitions)

    def lost(self, partitions: Sequence[Partition]) -> None:
        self.starts = {key: start for key, start in self.starts.items() if key not in partitions}

    def values(self) -> list[bytes | None]:
        return [delivery.value for delivery in self.read]


def until(holds: Callable[[], bool], *processes: Process) -> None:
    """Let the processes poll in turn until it holds."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, [(p.starts, p.values()) for p in processes]
        for process in processes:
            process.read += process.member.poll(100, 0.05)
            process.ended += process.member.ended()


def joined(kafka: Kafka) -> Process:
    """A process that has every partition."""
    process = Process(kafka)
    until(lambda: len(process.starts) == PARTITIONS, process)
    return process


def made(kafka: Kafka, number: int, *, partition: int = 0, topic: str = "in") -> Record:
    return Record(f"{kafka.name}.{topic}", b"k%d" % number, b"v%d" % number, (("n", b"%d" % number),), partition)


def numbers(*wanted: int) -> list[bytes]:
    return [b"v%d" % number for number in wanted]


def at(kafka: Kafka, offset: int, metadata: str = "", partition: int = 0) -> Offset:
    return Offset(f"{kafka.name}.in", partition, offset, metadata)


def out(kafka: Kafka) -> list[bytes | None]:
    return [delivery.value for delivery in kafka.read(f"{kafka.name}.out")]


def test_a_first_member_has_every_partition_from_its_beginning(kafka: Kafka) -> None:
    process = joined(kafka)
    assert process.starts == {(f"{kafka.name}.in", n): at(kafka, 0, partition=n) for n in range(PARTITIONS)}
    assert [o.offset for o in process.member.reached(list(process.starts))] == [-1] * PARTITIONS
    process.member.close()


def test_a_record_comes_as_it_was_written_and_in_the_order_of_its_partition(kafka: Kafka) -> None:
    process = joined(kafka)
    kafka.publish(*(made(kafka, number, partition=number % 2) for number in range(10)))
    until(lambda: len(process.read) == 10, process)
    for number in range(2):
        mine = [delivery for delivery in process.read if delivery.position.partition == number]
        assert [delivery.value for delivery in mine] == numbers(*range(number, 10, 2))
    one = next(delivery for delivery in process.read if delivery.value == b"v3")
    assert (one.key, one.headers) == (b"k3", (("n", b"3"),))
    assert (one.position.topic, one.position.partition) == (f"{kafka.name}.in", 1)
    process.member.close()


def test_the_end_of_a_partition_is_told_once_it_was_read(kafka: Kafka) -> None:
    kafka.publish(*(made(kafka, number) for number in range(5)))
    process = Process(kafka)
    until(lambda: len(set(process.ended)) == PARTITIONS, process)
    assert process.values() == numbers(*range(5)), "the end comes after the records"
    process.member.close()


def test_what_is_not_to_be_read_yet_when_it_is_given_is_not(kafka: Kafka) -> None:
    first, second = (f"{kafka.name}.in", 0), (f"{kafka.name}.in", 1)
    kafka.publish(*(made(kafka, number, partition=number % 2) for number in range(10)))
    process = Process(kafka, not_yet=frozenset({first}))
    until(lambda: second in process.ended, process)
    assert process.values() == numbers(1, 3, 5, 7, 9)
    process.member.hold_back(frozenset())
    until(lambda: len(process.read) == 10, process)
    process.member.close()


def test_only_what_is_committed_is_read_and_nothing_behind_what_is_open(kafka: Kafka) -> None:
    process = joined(kafka)
    kafka.publish(made(kafka, 1), made(kafka, 2, partition=1))
    with kafka.uncommitted(made(kafka, 3), made(kafka, 4)):
        kafka.publish(made(kafka, 5), made(kafka, 6, partition=1))
        until(lambda: len(process.read) >= 3, process)
        assert sorted(process.values()) == numbers(1, 2, 6)  # type: ignore[type-var]
    until(lambda: len(process.read) >= 4, process)
    assert process.values()[3:] == numbers(5)
    process.member.close()


def test_records_and_progress_are_committed_together_and_a_later_member_goes_on_there(kafka: Kafka) -> None:
    kafka.publish(*(made(kafka, number) for number in range(4)))
    first, writer = joined(kafka), kafka.writer("one")
    writer.open()
    until(lambda: len(first.read) == 4, first)
    progress = [at(kafka, 2, "1abc"), at(kafka, 0, "1def", partition=3)]
    assert writer.commit([made(kafka, 0, topic="out")], progress, first.member) == frozenset(progress)
    assert out(kafka) == numbers(0)
    assert list(first.member.reached([(o.topic, o.partition) for o in progress])) == progress
    first.member.close()
    later = joined(kafka)
    assert [later.starts[o.topic, o.partition] for o in progress] == progress
    until(lambda: len(later.read) >= 2, later)
    assert later.values() == numbers(2, 3)
    later.member.close()


def test_of_a_partition_that_the_group_gave_to_another_member_nothing_is_committed(kafka: Kafka) -> None:
    first, writer = joined(kafka), kafka.writer("one")
    writer.open()
    stale = AsOf.now(first.member)
    second = Process(kafka)
    until(lambda: len(first.starts) == len(second.starts) == PARTITIONS // 2, first, second)
    moved = min(second.starts)
    record, progress = made(kafka, 1, topic="out"), at(kafka, 1, partition=moved[1])
    assert writer.commit([record], [progress], stale) == frozenset()
    assert out(kafka) == []
    assert [o.offset for o in first.member.reached([moved])] == [-1]
    # The writer is none the worse for it: an attempt in the name of the new owner goes through.
    assert writer.commit([record], [progress], second.member) == {progress}
    assert out(kafka) == numbers(1)
    first.member.close()
    second.member.close()


def test_who_takes_a_transactional_id_fences_its_former_holder(kafka: Kafka) -> None:
    process, former, later = joined(kafka), kafka.writer("one"), kafka.writer("one")
    former.open()
    later.open()
    with pytest.raises(Fenced):
        former.commit([made(kafka, 1, topic="out")], [at(kafka, 1)], process.member)
    assert later.commit([made(kafka, 2, topic="out")], [at(kafka, 2)], process.member)
    assert out(kafka) == numbers(2)
    assert [o.offset for o in process.member.reached([(f"{kafka.name}.in", 0)])] == [2]
    process.member.close()


def test_a_record_larger_than_its_topic_takes_is_refused_with_all_that_came_with_it(kafka: Kafka) -> None:
    process, writer = joined(kafka), kafka.writer("one")
    writer.open()
    large = Record(f"{kafka.name}.out", b"k", os.urandom(LARGEST + 1000), (), 0)
    assert writer.commit([made(kafka, 1, topic="out"), large], [at(kafka, 1)], process.member) == frozenset()
    assert out(kafka) == []
    assert [o.offset for o in process.member.reached([(f"{kafka.name}.in", 0)])] == [-1]
    # The real client may need another attempt: it counts the record that was refused.
    until(lambda: bool(writer.commit([made(kafka, 1, topic="out")], [at(kafka, 1)], process.member)), process)
    assert out(kafka) == numbers(1)
    process.member.close()


def test_members_share_the_partitions_and_one_that_leaves_hands_over(kafka: Kafka) -> None:
    first = joined(kafka)
    second = Process(kafka)
    until(lambda: len(first.starts) == len(second.starts) == PARTITIONS // 2, first, second)
    assert not first.starts.keys() & second.starts.keys()
    left = set(second.starts)
    second.member.close()
    assert left <= set(second.given_back)
    until(lambda: len(first.starts) == PARTITIONS, first)
    first.member.close()


def test_one_partition_held_back_lets_the_others_flow(kafka: Kafka) -> None:
    process = joined(kafka)
    held = frozenset({(f"{kafka.name}.in", 0)})
    process.member.hold_back(held)
    kafka.publish(made(kafka, 1), made(kafka, 2, partition=1))
    until(lambda: bool(process.read), process)
    process.member.pause()
    process.member.resume()
    kafka.publish(made(kafka, 3, partition=1))
    until(lambda: len(process.read) == 2, process)
    assert process.values() == numbers(2, 3)
    process.member.hold_back(frozenset())
    until(lambda: len(process.read) == 3, process)
    assert process.values() == numbers(2, 3, 1)
    process.member.close()


def test_what_was_not_polled_yet_is_known_to_be_there(kafka: Kafka) -> None:
    one, other = ((f"{kafka.name}.in", number) for number in range(2))
    process = joined(kafka)
    until(lambda: len(set(process.ended)) == PARTITIONS, process)
    assert process.member.behind() == frozenset()
    process.member.hold_back(frozenset({other}))
    kafka.publish(made(kafka, 1, partition=0), made(kafka, 2, partition=0))
    until(lambda: len(process.read) == 2, process)
    process.member.hold_back(frozenset())
    kafka.publish(*(made(kafka, number, partition=1) for number in range(3, 6)))
    deadline = time.monotonic() + 30
    while other not in process.member.behind() and time.monotonic() < deadline:
        process.read += process.member.poll(1, 0.05)
    assert process.member.behind() == {other}
    assert len(process.read) < 5
    until(lambda: len(process.read) == 5 and not process.member.behind(), process)
    assert one not in process.member.behind(), "a transaction's marker is no record"
    process.member.close()


def test_a_paused_member_reads_nothing_and_goes_on_where_it_was(kafka: Kafka) -> None:
    process = joined(kafka)
    kafka.publish(made(kafka, 1))
    until(lambda: len(process.read) == 1, process)
    process.member.pause()
    kafka.publish(made(kafka, 2))
    assert [process.member.poll(10, 0.1) for _ in range(3)] == [[]] * 3
    process.member.resume()
    until(lambda: len(process.read) == 2, process)
    assert process.values() == numbers(1, 2)
    process.member.close()


def test_what_is_assigned_while_a_member_is_paused_is_read_all_the_same(kafka: Kafka) -> None:
    first = joined(kafka)
    kafka.publish(*(made(kafka, number, partition=number) for number in range(PARTITIONS)))
    until(lambda: len(first.read) == PARTITIONS, first)
    first.member.pause()
    second = Process(kafka)
    until(lambda: len(first.starts) == len(second.starts) == PARTITIONS // 2, first, second)
    moved = max(second.starts)[1]
    second.member.close()
    until(lambda: len(first.starts) == PARTITIONS, first)
    kafka.publish(made(kafka, 9, partition=moved))
    until(lambda: b"v9" in first.values(), first)
    first.member.close()
