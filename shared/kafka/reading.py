"""Reads topics from outside any group, to the end they have now: nothing is committed and nobody's work is disturbed.

Only what is committed is read, up to the last stable offset: an open transaction ends the reading, it never hangs it.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConsumerGroupTopicPartitions, IsolationLevel, OffsetSpec

from shared.core.delivery import Delivery
from shared.core.errors import Unavailable
from shared.kafka.properties import common
from shared.kafka.subscription import delivery
from shared.kafka.transactions import Offset

SECONDS = 15.0
"""How long Kafka may be silent before it counts as away."""

Partition = tuple[str, int]
"""Topic and number."""


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
        self._properties = common(kafka)
        self._admin = AdminClient(self._properties)

    def spans(self, topics: Collection[str]) -> dict[Partition, Span]:
        """What the topics hold now, partition by partition."""
        partitions = self._partitions(topics)
        low = self._offsets(partitions, OffsetSpec.earliest())
        high = self._offsets(partitions, OffsetSpec.latest())
        return {partition: Span(low[partition], high[partition]) for partition in partitions}

    def read(self, topics: Collection[str]) -> Iterator[Delivery]:
        """Every record the topics hold now, in order within a partition."""
        return self.read_spans(self.spans(topics))

    def read_spans(self, spans: Mapping[Partition, Span]) -> Iterator[Delivery]:
        """Every record of the stretches, in order within a partition."""
        ends = {partition: span.end for partition, span in spans.items() if span.start < span.end}
        with Tail(self._properties, {partition: spans[partition].start for partition in ends}) as tail:
            while ends:
                for found in tail.poll(SECONDS, to_the_end=True):
                    if isinstance(found, Delivery):
                        place = (found.position.topic, found.position.partition)
                        if found.position.offset < ends.get(place, 0):
                            yield found
                        if found.position.offset + 1 >= ends.get(place, 0):
                            ends.pop(place, None)
                    else:  # markers and compacted records can stand at the end, so no record tells that it is the last
                        ends.pop(found, None)

    def committed(self, group: str, topics: Collection[str]) -> dict[Partition, Offset]:
        """The group's progress where it has committed any."""
        wanted = [TopicPartition(topic, number) for topic, number in self._partitions(topics)]
        with mapped_errors(f"progress of {group}"):
            asked = ConsumerGroupTopicPartitions(group, wanted)
            answers = self._admin.list_consumer_group_offsets([asked], request_timeout=SECONDS)
            found = answers[group].result(SECONDS).topic_partitions
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

    def _offsets(self, partitions: Collection[Partition], spec: OffsetSpec) -> dict[Partition, int]:
        if not partitions:
            return {}
        with mapped_errors("offsets"):
            asked = {TopicPartition(topic, number): spec for topic, number in partitions}
            answers = self._admin.list_offsets(
                asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=SECONDS
            )
            return {(part.topic, part.partition): future.result(SECONDS).offset for part, future in answers.items()}


class Tail:
    """Follows partitions from given offsets; use it as a context manager."""

    def __init__(self, kafka: Mapping[str, Any], starts: Mapping[Partition, int]) -> None:
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
                "queued.max.messages.kbytes": 32_768,
            }
        )
        self._starts = starts

    def __enter__(self) -> "Tail":
        self._consumer.assign(
            [TopicPartition(topic, number, offset) for (topic, number), offset in self._starts.items()]
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def poll(self, seconds: float, *, to_the_end: bool = False) -> Iterable[Delivery | Partition]:
        """What came within the time; with `to_the_end` also partitions whose end was reached, and silence is an error."""
        messages = self._consumer.consume(500, 0.2 if to_the_end else seconds)
        deadline = time.monotonic() + seconds
        while to_the_end and not messages:
            if time.monotonic() > deadline:
                raise Unavailable("kafka", f"Kafka sent nothing for {seconds:.0f} s: look at the broker's log")
            messages = self._consumer.consume(500, 0.2)
        for message in messages:
            error = message.error()
            if error is None:
                yield delivery(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                if to_the_end:
                    yield str(message.topic()), int(message.partition() or 0)
            elif error.fatal() or not error.retriable():
                raise Unavailable("kafka", f"{message.topic()}: {error.str()}")


@contextmanager
def mapped_errors(what: str) -> Iterator[None]:
    """Turn what the client raises inside into Unavailable."""
    try:
        yield
    except KafkaException as error:
        raise Unavailable("kafka", f"{what}: {error.args[0].str()}; is Kafka there?") from error
    except TimeoutError as error:
        raise Unavailable("kafka", f"{what}: no answer within {SECONDS:.0f} s; is Kafka there?") from error
