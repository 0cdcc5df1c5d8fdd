"""A client that knows Kafka, Avro and the `.avsc` files, and nothing of Penstock: it publishes, and it audits.

It shares no code with what it audits, so that one mistake cannot hide in both.
"""

import io
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import fastavro
from confluent_kafka import Consumer, Producer, TopicPartition
from fastavro.schema import fingerprint, to_parsing_canonical_form

Record = tuple[bytes, bytes, dict[str, bytes]]
"""Key, value, headers."""


def load(path: Path) -> Any:
    """A schema from its file."""
    return fastavro.parse_schema(json.loads(path.read_text("utf-8")))


def encoded(schema: Any, record: dict[str, Any]) -> bytes:
    """Avro single-object encoding, by the specification."""
    body = io.BytesIO()
    fastavro.schemaless_writer(body, schema, record)
    return mark_of(schema) + body.getvalue()


def mark_of(schema: Any) -> bytes:
    """The ten bytes that stand before every record of the schema."""
    # fastavro gives the hex of the eight bytes as they stand in the frame, least significant first.
    return b"\xc3\x01" + bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


def decoded(schema: Any, value: bytes) -> dict[str, Any]:
    """The record in single-object encoding of just this schema."""
    mark = mark_of(schema)
    assert value[:10] == mark, f"{value[:10].hex()} is not {mark.hex()}, the mark of the schema"
    record: Any = fastavro.schemaless_reader(io.BytesIO(value[10:]), schema, None)
    return dict(record)


def publish(kafka: str, topic: str, records: Iterable[tuple[str, bytes]]) -> None:
    """Write (key, value) records and wait until all are acknowledged."""
    send(kafka, topic, ({"key": key, "value": value} for key, value in records))


def send(kafka: str, topic: str, records: Iterable[dict[str, Any]]) -> None:
    """Write records of any kind, given as the client's own arguments, and wait until all are acknowledged."""
    errors: list[Any] = []

    def note(error: Any, _: Any) -> None:
        if error:
            errors.append(error)

    # What is too large the broker is to say.
    own = {"acks": "all", "enable.idempotence": True, "linger.ms": 5, "message.max.bytes": 4_000_000}
    client = Producer({"bootstrap.servers": kafka, **own})
    for record in records:
        client.produce(topic, **record, on_delivery=note)
        client.poll(0)
    if client.flush(30) or errors:
        raise AssertionError(f"not acknowledged: {errors[:3]}")


def read(kafka: str, topic: str, seconds: float = 30) -> list[Record]:
    """Every committed record of a topic up to its present end: key, value, headers."""
    client = Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": "outsider",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    try:
        partitions = client.list_topics(topic, 10).topics[topic].partitions
        client.assign([TopicPartition(topic, number, 0) for number in partitions])
        found: list[Record] = []
        ended: set[Any] = set()
        deadline = time.monotonic() + seconds
        while len(ended) < len(partitions):
            if time.monotonic() > deadline:
                raise AssertionError(f"{topic} was not read to its end within {seconds} s")
            message = client.poll(1)
            if message is None:
                continue
            if message.error():
                ended.add(message.partition())
            else:
                ended.discard(message.partition())
                raw: Any = message.key(), message.value(), dict(message.headers() or [])
                found.append(raw)
        return found
    finally:
        client.close()
