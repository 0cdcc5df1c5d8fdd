"""A compacted topic of one partition, read whole and then followed, outside any group."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from shared.core.errors import Unavailable
from shared.kafka.properties import common, producer

SECONDS = 10.0
"""How long a write may take."""
MOST = 500
"""Records of one poll."""


class KafkaLog:
    """`Log` on Kafka. After trouble it begins anew where it was."""

    whole = False
    """Everything that was there when the reading began has been given."""

    def __init__(self, kafka: Mapping[str, Any], topic: str, wait_ms: int = 100) -> None:
        """`wait_ms`: how long the broker keeps an answer back that says no more than that this is the end."""
        self._kafka, self._topic, self._wait_ms = kafka, topic, wait_ms
        self._next = 0
        self._consumer: Consumer | None = None

    def poll(self, seconds: float) -> Sequence[tuple[bytes, bytes | None]]:
        """See `Log.poll`."""
        try:
            if self._consumer is None:
                self._consumer = self._open()
            # One at first: a consumer that is asked for many waits until it has so many, or the time is over.
            first = self._consumer.poll(seconds)
            messages = [] if first is None else [first, *self._consumer.consume(MOST, 0)]
            return [told for message in messages if (told := self._told(message)) is not None]
        except KafkaException as error:
            self.close()
            raise Unavailable("kafka", f"{self._topic}: {error.args[0].str()}") from error

    def rest(self, seconds: float) -> list[tuple[bytes, bytes | None]]:
        """Everything from where it was to the end there is now, and let go of it. Raises Unavailable."""
        found: list[tuple[bytes, bytes | None]] = []
        begin, deadline, self.whole = self._next, time.monotonic() + seconds, False
        try:
            while not self.whole:
                found += self.poll(0.2)
                if not self.whole and time.monotonic() > deadline:
                    raise Unavailable("kafka", f"{self._topic} was not read within {seconds:.0f} s")
            return found
        except Unavailable:
            # Nobody has what was read so far.
            self._next = begin
            raise
        finally:
            self.close()

    def close(self) -> None:
        """Let go of it."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _open(self) -> Consumer:
        consumer = Consumer(
            common(self._kafka)
            | {
                "group.id": "penstock.log",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                # What is old may have been deleted meanwhile: go on with what is left.
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "fetch.error.backoff.ms": 50,
                "fetch.wait.max.ms": self._wait_ms,
                "queued.max.messages.kbytes": 4096,
            }
        )
        consumer.assign([TopicPartition(self._topic, 0, self._next)])
        return consumer

    def _told(self, message: Any) -> tuple[bytes, bytes | None] | None:
        error = message.error()
        if error is None:
            self._next = message.offset() + 1
            return None if message.key() is None else (message.key(), message.value())
        if error.code() == KafkaError._PARTITION_EOF:
            self.whole = True
        elif error.fatal() or not error.retriable():
            raise KafkaException(error)
        return None


def write(kafka: Mapping[str, Any], topic: str, key: bytes, value: bytes | None) -> None:
    """Add a record, and return when Kafka has it on all replicas. Raises Unavailable."""
    failed: list[KafkaError] = []

    def note(error: KafkaError | None, _: object) -> None:
        if error is not None:
            failed.append(error)

    # A record that is written twice says the same twice; to be idempotent costs half a second at the start.
    client = Producer(producer(kafka) | {"enable.idempotence": False})
    try:
        client.produce(topic, key=key, value=value, on_delivery=note)
        left = client.flush(SECONDS)
    except KafkaException as error:
        raise Unavailable("kafka", f"{topic}: {error.args[0].str()}") from error
    if left or failed:
        why = failed[0].str() if failed else f"no answer within {SECONDS:.0f} s; is Kafka there?"
        raise Unavailable("kafka", f"nothing was written to {topic}: {why}")
