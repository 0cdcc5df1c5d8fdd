"""Reads topics from outside any group, to the end they have now: nothing is committed and nobody's work is disturbed.

Only what is committed is read, up to the last stable offset: an open transaction ends the reading, it never hangs it.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from shared.core.delivery import Delivery
from shared.core.errors import Unavailable
from shared.core.event import Partition, Position
from shared.kafka.properties import common
from shared.kafka.subscription import delivery
from shared.kafka_port import Offset

T = TypeVar("T")

SECONDS = 15.0
"""How long Kafka may be silent before it counts as away."""
SETTLING = frozenset(
    (
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError._TIMED_OUT,
    )
)
"""What a broker says of a moment ago while a topic or a group finds its place; the admin client does not ask again."""
ASK_SECONDS = 3.0
"""How long one question about a group may take: the first one that a Kafka is ever asked can go unanswered."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one partition."""

    start: int
    """First offset."""
    end: int
    """Offset after the last."""


class Reader:
    """Reads for commands; every error is Unavailable and says what to do."""

    def __init__(self, kafka: Mapping[str, Any]) -> None:
        self.kafka = common(kafka)
        """How Kafka is reached."""
        self._admin = AdminClient(self.kafka)

    def spans(self, topics: Collection[str]) -> dict[Partition, Span]:
        """What the topics hold now, partition by partition."""
        partitions = self._partitions(topics)
        low = self.offsets(partitions, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        high = self.offsets(partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        return {partition: Span(low[partition], high[partition]) for partition in partitions}

    def ends(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """Where partitions end now."""
        return self.offsets(partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]

    def read(self, topics: Collection[str]) -> Iterator[Delivery]:
        """Every record the topics hold now, in order within a partition."""
        return self.read_spans(self.spans(topics))

    def read_spans(self, spans: Mapping[Partition, Span]) -> Iterator[Delivery]:
        """Every record of the stretches, in order within a partition."""
        ends = {partition: span.end for partition, span in spans.items() if span.start < span.end}
        heard = time.monotonic()
        with Tail(self.kafka, {partition: spans[partition].start for partition in ends}) as tail:
            while ends:
                for found in tail.poll(0.2):
                    heard = time.monotonic()
                    # Markers and compacted records can stand at an end, so no record tells that it is the last one.
                    if not isinstance(found, Delivery):
                        ends.pop(found, None)
                        continue
                    place = (found.position.topic, found.position.partition)
                    end = ends.get(place, 0)
                    if found.position.offset < end:
                        yield found
                    if found.position.offset + 1 >= end:
                        ends.pop(place, None)
                if time.monotonic() - heard > SECONDS:
                    raise Unavailable("kafka", f"Kafka sent nothing for {SECONDS:.0f} s: look at the broker's log")

    def read_places(self, places: Collection[Position]) -> Iterator[Delivery]:
        """The records at these places that are still there, whatever order they are named in."""
        offsets: dict[Partition, set[int]] = {}
        for place in places:
            offsets.setdefault((place.topic, place.partition), set()).add(place.offset)
        spans = {part: Span(min(wanted), max(wanted) + 1) for part, wanted in offsets.items()}
        for record in self.read_spans(spans):
            if record.position.offset in offsets[record.position.topic, record.position.partition]:
                yield record

    def committed(self, group: str, topics: Collection[str]) -> dict[Partition, Offset]:
        """The group's progress where it has committed any."""
        wanted = [TopicPartition(topic, number) for topic, number in self._partitions(topics)]
        asked = ConsumerGroupTopicPartitions(group, wanted)

        def ask() -> list[TopicPartition]:
            answers = self._admin.list_consumer_group_offsets([asked], request_timeout=ASK_SECONDS)
            return list(answers[group].result(SECONDS).topic_partitions)

        with mapped_errors(f"progress of {group}"):
            found = settled(ask)
        return {
            (part.topic, part.partition): Offset(part.topic, part.partition, part.offset, part.metadata or "")
            for part in found
            if part.error is None and part.offset >= 0
        }

    def _partitions(self, topics: Collection[str]) -> list[Partition]:
        with mapped_errors("list of topics"):
            known = self._admin.list_topics(timeout=SECONDS).topics
        if missing := [topic for topic in topics if topic not in known]:
            raise Unavailable("kafka", f"topic {missing[0]} is not there: `penstock up` makes the pipeline's topics")
        return [(topic, number) for topic in topics for number in known[topic].partitions]

    def offsets(self, partitions: Collection[Partition], spec: OffsetSpec) -> dict[Partition, int]:
        """The offset of that kind in each partition."""
        if not partitions:
            return {}
        asked = {TopicPartition(topic, number): spec for topic, number in partitions}

        def ask() -> dict[Partition, int]:
            answers = self._admin.list_offsets(
                asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=SECONDS
            )
            return {(part.topic, part.partition): future.result(SECONDS).offset for part, future in answers.items()}

        with mapped_errors("offsets"):
            return settled(ask)


class Tail:
    """Follows partitions from given offsets; use it as a context manager."""

    def __init__(self, kafka: Mapping[str, Any], starts: Mapping[Partition, int], *, ahead: int = 32_768) -> None:
        """`ahead`: kilobytes that are fetched ahead at most."""
        self._consumer = Consumer(
            common(kafka)
            | {
                "group.id": "penstock.reader",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "isolation.level": "read_committed",
                # A janitor may delete what was there a moment ago: go on with what is left.
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "fetch.queue.backoff.ms": 10,
                "fetch.wait.max.ms": 50,
                "queued.max.messages.kbytes": ahead,
                # One answer is held whole beside what is queued.
                "fetch.max.bytes": min(ahead * 1024, 52_428_800),
            }
        )
        self._starts = starts
        self.ends: dict[Partition, int] = {}
        """Where each partition ended when its end was last reached: markers have offsets too, and are no records."""

    def __enter__(self) -> "Tail":
        places = [TopicPartition(topic, number, offset) for (topic, number), offset in self._starts.items()]
        self._consumer.assign(places)
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def poll(self, seconds: float) -> Iterator[Delivery | Partition]:
        """What came within the time: records, and partitions whose end was reached."""
        for message in self._consumer.consume(500, seconds):
            error = message.error()
            if error is None:
                yield delivery(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                part = (str(message.topic()), int(message.partition() or 0))
                self.ends[part] = int(message.offset() or 0)
                yield part
            elif error.fatal() or not error.retriable():
                raise Unavailable("kafka", f"{message.topic()}: {error.str()}")


def settled(ask: Callable[[], T]) -> T:
    """Ask again while the answer is that things are just finding their place."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in SETTLING or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@contextmanager
def mapped_errors(what: str) -> Iterator[None]:
    """Turn what the client raises inside into Unavailable."""
    try:
        yield
    except KafkaException as error:
        raise Unavailable("kafka", f"{what}: {error.args[0].str()}; is Kafka there?") from error
    except TimeoutError as error:
        raise Unavailable("kafka", f"{what}: no answer within {SECONDS:.0f} s; is Kafka there?") from error
