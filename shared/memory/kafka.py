"""Kafka in memory: partitions, groups and their progress, and transactions that are read when they are committed.

It keeps the promises of `tests/contract/test_kafka.py` and no others. Time does not pass in it: a process that Kafka
would give up after a while is given up when `MemoryMember.expire` and `MemoryTransactions.expire` say so.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from zlib import crc32

from shared.core.crash_points import CrashHere, CrashPoint, nowhere
from shared.core.delivery import Delivery
from shared.core.event import Partition, Position
from shared.kafka_port import Fenced, Group, Offset, Record

EPOCH = datetime.fromtimestamp(0, UTC)
MESSAGE_BYTES = 1_000_000


@dataclass(eq=False, slots=True)
class Transaction:
    """What was written together."""

    open: bool = True
    """Neither committed nor aborted: nobody reads past its first record."""
    committed: bool = False
    """Its records count."""
    offsets: list[tuple[str, Offset]] = field(default_factory=list)
    """Progress to be committed with it, each with its group."""


@dataclass(eq=False, slots=True)
class Membership:
    """One member as its group knows it."""

    ready: bool = False
    """It has given its partitions back, and waits until all have."""
    given: list[Partition] | None = None
    """What it was given and has not taken up."""


@dataclass(eq=False, slots=True)
class MemoryGroup:
    """One group: who is in it, and what it has committed. Everybody gives everything back before anybody takes."""

    partitions: Sequence[tuple[str, int]] = ()
    """Its topics with their numbers of partitions."""
    generation: int = 0
    """Counts assignments."""
    members: dict[int, Membership] = field(default_factory=dict)
    """By id, in the order in which they joined."""
    rebalancing: bool = False
    """Somebody came or went."""
    committed: dict[Partition, Offset] = field(default_factory=dict)
    """Progress."""

    def rebalance(self) -> None:
        """Somebody came or went."""
        self.rebalancing = True
        for member in self.members.values():
            member.ready, member.given = False, None

    def settle(self) -> None:
        """Share the partitions out by range, if every member is ready."""
        members = list(self.members.values())
        if not self.rebalancing or not members or not all(member.ready for member in members):
            return
        self.generation, self.rebalancing = self.generation + 1, False
        for place, member in enumerate(members):
            member.given = [
                (topic, number)
                for topic, count in self.partitions
                for number in range(count)
                if number * len(members) // count == place
            ]


class MemoryKafka:
    """A broker; every method is safe on any thread."""

    def __init__(self, topics: Mapping[str, int], largest: int = MESSAGE_BYTES) -> None:
        """`topics` are names and numbers of partitions; a record may have `largest` bytes."""
        self.topics, self.largest = dict(topics), largest
        self.changed = threading.Condition()
        """Held for every look and every change; notified of what can be read."""
        self.log: dict[Partition, list[tuple[Delivery, Transaction]]] = defaultdict(list)
        """Every record ever written, aborted ones included."""
        self.groups: dict[str, MemoryGroup] = defaultdict(MemoryGroup)
        self.holders: dict[str, MemoryTransactions] = {}
        """Transactional id to who holds it."""
        self.ids = count(1)
        """Numbers that no member had."""

    def append(self, record: Record, transaction: Transaction) -> None:
        """Write a record as a part of a transaction."""
        partitions = self.topics[record.topic]
        number = crc32(record.key or b"") % partitions if record.partition is None else record.partition
        log = self.log[record.topic, number]
        where = Position(record.topic, number, len(log))
        log.append((Delivery(where, record.key, record.value, tuple(record.headers), EPOCH), transaction))

    def publish(self, *records: Record) -> None:
        """Write records that everybody may read at once."""
        with self.changed:
            for record in records:
                self.append(record, Transaction(open=False, committed=True))
            self.changed.notify_all()

    def end(self, transaction: Transaction, *, committed: bool) -> None:
        """Commit or abort what is open; what has ended stays as it is."""
        with self.changed:
            if not transaction.open:
                return
            transaction.open, transaction.committed = False, committed
            for group, offset in transaction.offsets if committed else ():
                self.groups[group].committed[offset.topic, offset.partition] = offset
            self.changed.notify_all()

    def readable(self, partition: Partition, start: int) -> Iterable[Delivery]:
        """What a reader of committed records may see from an offset on."""
        for delivery, transaction in self.log[partition][start:]:
            if transaction.open:
                return
            if transaction.committed:
                yield delivery

    def read(self, topic: str) -> list[Delivery]:
        """Every committed record of a topic, partition by partition."""
        with self.changed:
            return [each for number in range(self.topics[topic]) for each in self.readable((topic, number), 0)]


class MemoryTransactions:
    """A writer of transactions. Implements `Transactions`."""

    since: float | None = None
    """Nothing hangs here."""

    def __init__(self, kafka: MemoryKafka, identity: str, crash_here: CrashHere = nowhere) -> None:
        self._kafka, self._identity, self._crash_here = kafka, identity, crash_here
        self._running = Transaction(open=False)

    def open(self) -> None:
        """Take the id; ends what its former holder left open."""
        with self._kafka.changed:
            if former := self._kafka.holders.get(self._identity):
                self._kafka.end(former._running, committed=False)
            self._kafka.holders[self._identity] = self

    def commit(self, records: Sequence[Record], offsets: Sequence[Offset], group: Group) -> frozenset[Offset]:
        """One attempt, by the same steps as on a real one. Raises Fenced."""
        self._crash_here(CrashPoint.BEFORE_BEGIN)
        self._check()
        self._running = Transaction()
        self._crash_here(CrashPoint.AFTER_BEGIN)
        for record in records:
            with self._kafka.changed:
                self._kafka.append(record, self._running)
        self._crash_here(CrashPoint.AFTER_PRODUCE)
        name, member, generation = group.member
        known = self._kafka.groups[name]
        self._running.offsets = [(name, offset) for offset in offsets]
        self._crash_here(CrashPoint.AFTER_OFFSETS)
        with self._kafka.changed:
            self._check()
            fits = all(len(record.value or b"") <= self._kafka.largest for record in records)
            current = member in known.members and generation == known.generation
            self._kafka.end(self._running, committed=fits and current)
        self._crash_here(CrashPoint.AFTER_COMMIT if self._running.committed else CrashPoint.AFTER_ABORT)
        return frozenset(offsets) if self._running.committed else frozenset()

    def expire(self) -> None:
        """Be given up: what was left open is aborted, as Kafka does after the transaction's timeout."""
        self._kafka.end(self._running, committed=False)

    def _check(self) -> None:
        if self._kafka.holders.get(self._identity) is not self:
            raise Fenced(f"another process writes as {self._identity}")
