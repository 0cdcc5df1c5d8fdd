"""One transaction: outputs and progress together, tried once, its failure told as a value.

The order, and why:
  1. begin
  2. produce the outputs
  3. send the offsets, with the group's generation: a process that has lost its partitions is fenced here
  4. commit
What a failure is answered with:
  passes by itself        the very same call again, for a while
  before the commit, or   abort, and try again after the next poll, never in a loop in place: only a poll can rejoin
    an abort is asked for   the group, so a loop here would deadlock
  fenced                  end: another process lives under this id, and would be fenced by a new producer
  anything else           nobody knows how it ended. A new producer under the same id ends it one way or the other, and
                            the group's offsets tell, because every commit carries new progress.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from shared.core.crash_points import CrashHere, CrashPoint, nowhere
from shared.kafka.properties import Properties
from shared.kafka_port import Fenced, Group, Offset, Partition, Record

T = TypeVar("T")

FENCED = frozenset((KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED))
PASSING = frozenset(
    (
        KafkaError._TIMED_OUT,
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._WAIT_COORD,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.UNSTABLE_OFFSET_COMMIT,
    )
)
"""What passes by itself; librdkafka marks only transactional errors as retriable."""
RETRY_FOR = 60.0
"""Seconds for which a call that may simply be repeated is repeated."""
NOTHING: frozenset[Offset] = frozenset()


class Calls:
    """Client calls, and since when the running one runs.

    Some can hang for ever after a broker outage, whatever their timeout, so somebody else has to watch `since` and end
    the process.
    """

    since: float | None = None
    """Monotonic time; None where none runs."""

    def repeat(self, call: Callable[[], T], seconds: float) -> T:
        """Call again while Kafka says that the very same call may succeed. Raises the last KafkaException."""
        return repeat(lambda: self.once(call), seconds)

    def once(self, call: Callable[[], T]) -> T:
        """Call, watched."""
        self.since = time.monotonic()
        try:
            return call()
        finally:
            self.since = None


class Transactor:
    """Owns a transactional producer; one thread uses it. Implements `Transactions`."""

    def __init__(
        self,
        properties: Properties,
        report: Callable[[str], None],
        crash_here: CrashHere = nowhere,
        client: Callable[[Properties], Producer] = Producer,
    ) -> None:
        """`report` is told, in a sentence, of everything out of the ordinary."""
        self._properties, self._report, self._crash_here, self._client = properties, report, crash_here, client
        self._producer: Producer | None = None
        self._calls = Calls()

    @property
    def since(self) -> float | None:
        """Monotonic time at which the running client call began."""
        return self._calls.since

    def open(self) -> None:
        """Register the transactional id; ends whatever a killed predecessor left open."""
        self._producer = self._calls.once(lambda: self._client(self._properties))
        self._repeat(lambda: self._now().init_transactions(30))

    def commit(self, records: Sequence[Record], offsets: Sequence[Offset], group: Group) -> frozenset[Offset]:
        """One attempt to write the records and the offsets together; gives the offsets that are through."""
        step = "begin"
        try:
            self._crash_here(CrashPoint.BEFORE_BEGIN)
            self._now().begin_transaction()  # 1
            self._crash_here(CrashPoint.AFTER_BEGIN)
            step = "produce"
            for record in records:  # 2
                self._produce(record)
            self._crash_here(CrashPoint.AFTER_PRODUCE)
            step = "send offsets"
            places = [TopicPartition(o.topic, o.partition, o.offset, o.metadata) for o in offsets]
            self._repeat(lambda: self._now().send_offsets_to_transaction(places, group.member, 10))  # 3
            self._crash_here(CrashPoint.AFTER_OFFSETS)
            step = "commit"
            self._repeat(lambda: self._now().commit_transaction(10))  # 4
            self._crash_here(CrashPoint.AFTER_COMMIT)
            return frozenset(offsets)
        except KafkaException as error:
            unknown = self._recover(error.args[0], step)
        # Partition by partition: one that went to somebody else meanwhile says nothing about the others.
        asked = [(o.topic, o.partition) for o in offsets]
        return frozenset(self._repeat(lambda: group.reached(asked))) & frozenset(offsets) if unknown else NOTHING

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

    def _recover(self, error: KafkaError, step: str) -> bool:
        """End the transaction; True where it may have been committed."""
        self._tell(f"transaction failed at {step}", error)
        if step != "commit" or error.txn_requires_abort():
            try:
                self._repeat(lambda: self._now().abort_transaction(10))
                self._crash_here(CrashPoint.AFTER_ABORT)
                return False
            except KafkaException as second:
                self._tell("abort failed", second.args[0])
        self.open()
        return step == "commit"

    def _tell(self, what: str, error: KafkaError) -> None:
        self._report(f"{what}: {error.name()} {error.str()}")
        if error.code() in FENCED:
            raise Fenced(error.str())

    def _now(self) -> Producer:
        if self._producer is None:
            raise RuntimeError("the transactor is not open: call open() first")
        return self._producer

    def _repeat(self, call: Callable[[], T]) -> T:
        return self._calls.repeat(call, RETRY_FOR)


def repeat(call: Callable[[], T], seconds: float) -> T:
    """Call again while Kafka says that the very same call may succeed. Raises the last KafkaException."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return call()
        except KafkaException as error:
            if not passes(error.args[0]) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def passes(error: KafkaError) -> bool:
    """Whether the very same call may succeed later. Whatever its code: where an abort is asked for, it never will."""
    if error.txn_requires_abort() or error.fatal():
        return False
    return bool(error.retriable()) or error.code() in PASSING


def reached(consumer: Consumer, partitions: Sequence[Partition]) -> list[Offset]:
    """The group's committed offsets, asked for once; withheld while a transaction with such offsets is open."""
    found = consumer.committed([TopicPartition(*partition) for partition in partitions], timeout=10)
    for place in found:
        if place.error:
            raise KafkaException(place.error)
    return [Offset(p.topic, p.partition, max(p.offset, -1), p.metadata or "") for p in found]
