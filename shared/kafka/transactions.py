"""One transaction: outputs and progress together, tried once, its failure told as a value.

The order, and why:
  1. begin
  2. produce the outputs
  3. send the offsets, with the group's generation: a process that has lost its partitions is fenced here
  4. commit
A failure that asks for an abort is answered with *abort and try again after the next poll*, never with a loop in place:
only poll can rejoin the group, so a loop here would deadlock.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from shared.kafka.properties import Properties

T = TypeVar("T")

FENCED = frozenset((KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED))
PASSING = frozenset(
    (
        KafkaError._TIMED_OUT,
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
    )
)
"""What passes by itself; librdkafka marks only transactional errors as retriable."""
RETRY_FOR = 60.0
"""Seconds for which a call that may simply be repeated is repeated."""


class Committed(Enum):
    """How an attempt ended."""

    YES = "committed"
    NO = "aborted: keep the results, poll, try again"


class Fenced(Exception):
    """Another process writes under this transactional id; this one must end and never come back under it."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record to be written, encoded."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    partition: int | None


@dataclass(frozen=True, slots=True)
class Offset:
    """Progress of one partition."""

    topic: str
    partition: int
    offset: int
    metadata: str


class Group(Protocol):
    """The group member whose progress is committed."""

    @property
    def consumer(self) -> Consumer: ...
    @property
    def member(self) -> Any:
        """Its generation."""
        ...


class Transactor:
    """Owns a transactional producer; one thread uses it."""

    def __init__(self, properties: Properties, report: Callable[[str], None]) -> None:
        """`report` is told, in a sentence, of everything out of the ordinary."""
        self._properties = properties
        self._report = report
        self._producer: Producer | None = None
        self.since: float | None = None
        """Monotonic time at which the running attempt began: sending offsets can hang for ever after a broker outage,
        whatever its timeout, so somebody else has to watch this and end the process."""

    def open(self) -> None:
        """Register the transactional id; ends whatever a killed predecessor left open. Raises Fenced."""
        self._producer = Producer(self._properties)
        self._repeat(lambda: self._now().init_transactions(30))

    def commit(self, records: Sequence[Record], offsets: Sequence[Offset], group: Group) -> Committed:
        """One attempt to write the records and the offsets together."""
        self.since = time.monotonic()
        try:
            return self._attempt(records, [_partition(o) for o in offsets], group)
        finally:
            self.since = None

    def _attempt(self, records: Sequence[Record], offsets: list[TopicPartition], group: Group) -> Committed:
        step = "begin"
        try:
            self._now().begin_transaction()  # 1
            step = "produce"
            for record in records:  # 2
                self._produce(record)
            step = "send offsets"
            self._repeat(  # 3
                lambda: self._now().send_offsets_to_transaction(offsets, group.member, 10)
            )
            step = "commit"
            self._repeat(lambda: self._now().commit_transaction(10))  # 4
            return Committed.YES
        except KafkaException as error:
            return self._recover(error.args[0], step, offsets, group)

    def _produce(self, record: Record) -> None:
        where: dict[str, Any] = {} if record.partition is None else {"partition": record.partition}
        if record.headers:
            where["headers"] = list(record.headers)
        while True:
            try:
                self._now().produce(record.topic, value=record.value, key=record.key, **where)
                return
            except BufferError:
                self._now().poll(0.1)

    def _recover(self, error: KafkaError, step: str, offsets: list[TopicPartition], group: Group) -> Committed:
        self._report(f"transaction failed at {step}: {error.name()} {error.str()}")
        if error.code() in FENCED:
            raise Fenced(error.str())
        if error.txn_requires_abort():
            try:
                self._repeat(lambda: self._now().abort_transaction(10))
                return Committed.NO
            except KafkaException as second:
                self._report(f"abort failed: {second.args[0].name()}")
        # Nobody knows how the old transaction stands; a producer under the same id ends it one way or the other, and
        # then the group's offset and metadata tell, because every commit carries new progress.
        self.open()
        if step == "commit" and self._was_committed(offsets, group):
            return Committed.YES
        return Committed.NO

    def _was_committed(self, offsets: list[TopicPartition], group: Group) -> bool:
        asked = [TopicPartition(o.topic, o.partition) for o in offsets]
        found = self._repeat(lambda: group.consumer.committed(asked, timeout=10))
        return all(
            there.offset == ours.offset and (there.metadata or "") == (ours.metadata or "")
            for there, ours in zip(found, offsets, strict=True)
        )

    def _now(self) -> Producer:
        if self._producer is None:
            raise RuntimeError("the transactor is not open: call open() first")
        return self._producer

    def _repeat(self, call: Callable[[], T]) -> T:
        return repeat(call, RETRY_FOR)


def repeat(call: Callable[[], T], seconds: float) -> T:
    """Call again while Kafka says that the very same call may succeed. Raises the last KafkaException."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return call()
        except KafkaException as error:
            passing = error.args[0].retriable() or error.args[0].code() in PASSING
            if not passing or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _partition(offset: Offset) -> TopicPartition:
    return TopicPartition(offset.topic, offset.partition, offset.offset, offset.metadata)
