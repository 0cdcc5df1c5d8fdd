"""One transaction: outputs and progress together, tried once, its failure told as a value.

The order, and why:
  1. begin
  2. produce the outputs
  3. send the offsets, with the group's generation: a process that has lost its partitions is fenced here
  4. commit
What a failure is answered with:
  passes by itself       the very same call again, for a while
  asks for an abort, or  abort, and try again after the next poll, never in a loop in place: only a poll can rejoin the
    comes before 4         group, so a loop here would deadlock. With a new producer: the numbers with which the broker
                           knows a record again can be wrong after an abort, and a new record then passes for one that
                           was aborted: it is acknowledged, and nowhere
  fenced                 end: another process lives under this id, and a new producer would fence it in turn. Unless the
                           transaction had outlived its time: then it was the broker, and nobody else
  hung, anything else    a new producer under the same id: it ends the transaction one way or the other, and fences what
                           a call that was left behind still sends
Where it may have been committed all the same, the group's offsets tell, because every commit carries new progress.

They are looked at after every failure for another reason too. A broker that goes down just after it acknowledged a
commit can leave the transaction without its markers; whatever ends next under this id then ends both, and an abort
takes back what was acknowledged, records and offsets. Whoever went on from there would lose just those records. So the
process ends; first it closes what may stand open in other partitions, for nobody else writes under its id.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from shared.core.crash_points import CrashHere, CrashPoint, nowhere
from shared.core.event import Partition
from shared.core.progress import takes_back
from shared.kafka.calls import Calls, Hung, leaving_behind, left_behind
from shared.kafka.properties import TRANSACTION_SECONDS, Properties
from shared.kafka_port import Fenced, Group, Offset, Record, TakenBack

T = TypeVar("T")

FENCED = frozenset((KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED))
RETRY_FOR = 60.0
"""Seconds for which a call that may simply be repeated is repeated."""
LOOK_BACK_FOR = 5.0
"""Seconds for which it is asked what became of earlier commits."""
CALL_SECONDS = 5.0
"""Timeout of a call: it is repeated, so a short one only tells sooner when one hangs."""
HUNG_SECONDS = 8.0
"""Seconds after which a call with that timeout is left behind with its producer."""
LEFT_BEHIND = 5
"""Calls that may hang behind us before the process ends: each keeps its producer's threads and connections."""
NOTHING: frozenset[Offset] = frozenset()


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
        self._began = 0.0
        self._through: dict[Partition, Offset] = {}
        """What was committed last of each partition, also where that is somebody else's by now: nobody goes back."""
        self._topics: set[str] = set()
        """Topics that were written to."""

    @property
    def since(self) -> float | None:
        """Monotonic time at which the running client call began."""
        return self._calls.since

    def open(self) -> None:
        """Register the transactional id; ends whatever a former holder left open, and fences it."""
        self._calls.once(self._renew)
        self._repeat(lambda producer: producer.init_transactions(CALL_SECONDS))

    def _renew(self) -> None:
        # The old one first: while it lives it sends what it still has.
        self._producer = None
        self._producer = self._client(self._properties)

    def commit(self, records: Sequence[Record], offsets: Sequence[Offset], group: Group) -> frozenset[Offset]:
        """One attempt to write the records and the offsets together; gives the offsets that are through."""
        through = self._attempt(records, offsets, group)
        self._through |= {(offset.topic, offset.partition): offset for offset in through}
        return through

    def _attempt(self, records: Sequence[Record], offsets: Sequence[Offset], group: Group) -> frozenset[Offset]:
        self._began, step = time.monotonic(), "begin"
        try:
            self._crash_here(CrashPoint.BEFORE_BEGIN)
            self._now().begin_transaction()  # 1
            self._crash_here(CrashPoint.AFTER_BEGIN)
            step = "produce"
            self._topics.update(record.topic for record in records)
            for record in records:  # 2
                self._produce(record)
            self._crash_here(CrashPoint.AFTER_PRODUCE)
            step = "send offsets"
            places = [TopicPartition(o.topic, o.partition, o.offset, o.metadata) for o in offsets]
            self._repeat(lambda producer: producer.send_offsets_to_transaction(places, group.member, CALL_SECONDS))  # 3
            self._crash_here(CrashPoint.AFTER_OFFSETS)
            step = "commit"
            self._repeat(lambda producer: producer.commit_transaction(CALL_SECONDS))  # 4
            self._crash_here(CrashPoint.AFTER_COMMIT)
            return frozenset(offsets)
        except (KafkaException, Hung) as error:
            self._tell(f"transaction failed at {step}", error)
            self._end(step, error)
            self._look_back(group)
            asks_for_abort = isinstance(error, KafkaException) and error.args[0].txn_requires_abort()
            # A call that was left behind does what it does, and nothing follows it: before step 4 nothing is through.
            return NOTHING if step != "commit" or asks_for_abort else self._found(offsets, group)

    def _end(self, step: str, error: KafkaException | Hung) -> None:
        """Come to where another transaction can begin."""
        if isinstance(error, KafkaException) and (step != "commit" or error.args[0].txn_requires_abort()):
            try:
                self._repeat(lambda producer: producer.abort_transaction(CALL_SECONDS))
                self._crash_here(CrashPoint.AFTER_ABORT)
            except (KafkaException, Hung) as second:
                self._tell("abort failed", second)
        self.open()

    def _found(self, offsets: Sequence[Offset], group: Group) -> frozenset[Offset]:
        """What the group has of them: partition by partition, since one that went to somebody else tells nothing."""
        asked = [(o.topic, o.partition) for o in offsets]
        return frozenset(offsets) & frozenset(self._calls.repeat(lambda: group.reached(asked), RETRY_FOR))

    def _look_back(self, group: Group) -> None:
        """Raises TakenBack where something that was committed is so no more."""
        try:
            asked = list(self._through)
            found = self._calls.repeat(lambda: group.reached(asked), LOOK_BACK_FOR) if asked else ()
        except (KafkaException, TimeoutError) as error:
            # Such as: a transaction is still open there. What becomes of it is asked after the next failure.
            self._report(f"what the group has is not known: {error}")
            return
        for now in found:
            before = self._through[now.topic, now.partition]
            if takes_back((before.offset, before.metadata), (now.offset, now.metadata)):
                self._close()
                raise TakenBack(
                    f"Kafka has lost progress of {now.topic}/{now.partition} that it had acknowledged: it was at "
                    f"{before.offset}, and is committed at {now.offset} now. This process ends, the next begins there"
                )

    def _close(self) -> None:
        """Abort a transaction with a record in every partition we write to: its markers end whatever is open there."""
        producer = self._now()
        try:
            producer.begin_transaction()
            for topic in self._topics:
                for number in producer.list_topics(topic, CALL_SECONDS).topics[topic].partitions:
                    producer.produce(topic, key=b"aborted", partition=number)
            # An abort drops what was not sent yet.
            producer.flush(CALL_SECONDS)
            self._repeat(lambda producer: producer.abort_transaction(CALL_SECONDS))
        except (KafkaException, Hung) as error:
            self._report(f"what is open could not be closed: {error}")

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

    def _tell(self, what: str, error: KafkaException | Hung) -> None:
        """Report it. Raises Fenced where another process has taken the id."""
        if isinstance(error, Hung):
            self._report(f"{what}: {error}")
            if left_behind() > LEFT_BEHIND:
                raise error
            return
        cause: KafkaError = error.args[0]
        self._report(f"{what}: {cause.name()} {cause.str()}")
        if cause.code() in FENCED and time.monotonic() - self._began < TRANSACTION_SECONDS:
            raise Fenced(cause.str())

    def _now(self) -> Producer:
        if self._producer is None:
            raise RuntimeError("the transactor is not open: call open() first")
        return self._producer

    def _repeat(self, call: Callable[[Producer], T]) -> T:
        producer = self._now()
        return self._calls.repeat(lambda: leaving_behind(lambda: call(producer), HUNG_SECONDS), RETRY_FOR)
