"""What a test does beside the command: puts records on topics, reads them, commits a group's progress."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from schemas.events import DocumentSubmitted
from shared.cli.session import Session
from shared.core.delivery import Delivery
from shared.core.event import Event, Position
from shared.core.failures import Failure
from shared.core.headers import History
from shared.core.topics import group
from shared.kafka.properties import producer
from shared.kafka.reading import Reader

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class Installation:
    """A pipeline with its topics made, and nothing running."""

    session: Session
    producer: Producer = field(init=False)

    def __enter__(self) -> "Installation":
        self.producer = Producer(producer(self.session.kafka))
        return self

    def __exit__(self, *_: object) -> None:
        self.producer.flush(10)

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self.session.pipeline.name

    def put(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        """One record; topics are named without the pipeline."""
        self.producer.produce(f"{self.name}.{topic}", value=value, key=key, headers=list(headers))
        assert self.producer.flush(10) == 0

    def emit(self, topic: str, event: Event, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """One event."""
        self.put(topic, event.document_id.encode(), self.session.codec.encode(event), headers)

    def bury(self, stage: str, key: bytes | None, value: bytes | None, failure: Failure = Failure.CORRUPT) -> None:
        """One dead letter."""
        history = History(stage, failure, f"it is {failure}", 1, NOW, NOW, Position(f"{self.name}.ingest", 0, 0))
        self.put(f"{stage}.dlq", key, value, (("theirs", b"kept"), *history.to_headers()))

    def emit_dead(self, stage: str, event: Event, failure: Failure) -> None:
        """One dead letter that can be read."""
        self.bury(stage, event.document_id.encode(), self.session.codec.encode(event), failure)

    def records(self, *names: str) -> list[Delivery]:
        """What is committed in the topics."""
        return list(Reader(self.session.kafka).read([f"{self.name}.{name}" for name in names]))

    def wait_for_record(self, topic: str, seconds: float = 20) -> None:
        """Return when the topic holds a record."""
        deadline = time.monotonic() + seconds
        while not self.records(topic):
            assert time.monotonic() < deadline, f"nothing came to {topic} within {seconds} s"

    def work_off(self, stage: str, record: Delivery) -> None:
        """Commit, as the stage's group, that this record and what stands before it is done."""
        consumer = Consumer(self.session.kafka | {"group.id": group(self.name, stage)})
        place = record.position
        consumer.commit(offsets=[TopicPartition(place.topic, place.partition, place.offset + 1)], asynchronous=False)
        consumer.close()


def submitted(document_id: str, **fields: Any) -> DocumentSubmitted:
    """A submission."""
    return DocumentSubmitted(**{"document_id": document_id, "content": b"a letter", "submitted_at": NOW, **fields})


def lines(text: str) -> list[Any]:
    """JSON, one value a line."""
    return [json.loads(line) for line in text.splitlines()]
