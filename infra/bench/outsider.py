"""A client that knows Kafka, Avro and the `.avsc` files, and nothing of Penstock: it publishes, and it audits.

It shares no code with what it audits, so that one mistake cannot hide in both.
"""

import io
import json
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import fastavro
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from fastavro.schema import fingerprint, to_parsing_canonical_form

Record = tuple[bytes, bytes, dict[str, bytes]]
"""Key, value, headers."""
PROPERTIES = {
    "group.id": "outsider",
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "log_level": 0,
}
"""What only reads, leaves no trace, and says nothing of servers that are stopped."""


class Unacknowledged(Exception):
    """Kafka did not take what was written."""


SETTLING = frozenset(
    (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError.UNKNOWN_TOPIC_OR_PART)
)
"""What a broker says of a partition that was just made."""


class Stamped(NamedTuple):
    """A record with its place and time."""

    key: bytes
    """Key."""
    value: bytes
    """Value."""
    headers: dict[str, bytes]
    """Headers; of a repeated name the last."""
    partition: int
    """Partition."""
    milliseconds: int
    """Its timestamp, UNIX milliseconds."""
    offset: int = -1
    """Offset."""


def load(path: Path) -> Any:
    """A schema from its file."""
    return schema(path.read_text("utf-8"))


def schema(text: str) -> Any:
    """A schema from its text."""
    return fastavro.parse_schema(json.loads(text))


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
    """The record in single-object encoding of just this schema. Raises ValueError where it is of another."""
    mark = mark_of(schema)
    if value[:10] != mark:
        raise ValueError(f"{value[:10].hex()} is not {mark.hex()}, the mark of the schema")
    record: Any = fastavro.schemaless_reader(io.BytesIO(value[10:]), schema, None)
    return dict(record)


def publish(kafka: str, topic: str, records: Iterable[tuple[str, bytes]]) -> None:
    """Write (key, value) records and wait until all are acknowledged."""
    send(kafka, topic, ({"key": key, "value": value} for key, value in records))


def send(kafka: str, topic: str, records: Iterable[dict[str, Any]]) -> None:
    """Write records of any kind, given as the client's own arguments, and wait until all are acknowledged.

    Raises Unacknowledged with the broker's first complaints.
    """
    errors: list[Any] = []

    def note(error: Any, _: Any) -> None:
        if error:
            errors.append(error)

    # What is too large the broker is to say.
    own = {"acks": "all", "enable.idempotence": True, "linger.ms": 5, "message.max.bytes": 4_000_000, "log_level": 0}
    client = Producer({"bootstrap.servers": kafka, **own})
    for record in records:
        client.produce(topic, **record, on_delivery=note)
        client.poll(0)
    if client.flush(30) or errors:
        raise Unacknowledged(f"not acknowledged by {topic}: {errors[:3]}")


def commit(kafka: str, group: str, partition: tuple[str, int], offset: int) -> None:
    """Say in the name of a group without members how far it is."""
    client = Consumer(PROPERTIES | {"bootstrap.servers": kafka, "group.id": group})
    try:
        client.commit(offsets=[TopicPartition(*partition, offset)], asynchronous=False)
    finally:
        client.close()


def limit(kafka: str, topic: str, size: int) -> None:
    """Let the topic take records of so many bytes only, from now on."""
    entry = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
    asked = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    # Kept in a name: a temporary client is destroyed before its futures resolve.
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.incremental_alter_configs([asked]).values():
        future.result(30)


def delete(kafka: str, topics: list[str]) -> None:
    """Remove topics with all that is in them."""
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.delete_topics(topics, operation_timeout=30).values():
        future.result(60)


def read(kafka: str, topic: str, seconds: float = 30) -> list[Record]:
    """Every committed record of a topic up to its present end: key, value, headers."""
    return [(one.key, one.value, one.headers) for one in read_stamped(kafka, topic, seconds)]


def read_stamped(kafka: str, topic: str, seconds: float = 30) -> list[Stamped]:
    """The same with place and time; in the order of the log within a partition."""
    # The end of a partition is told by an empty answer, which the broker keeps back for this long.
    client = Consumer(PROPERTIES | {"bootstrap.servers": kafka, "enable.partition.eof": True, "fetch.wait.max.ms": 20})
    try:
        partitions = client.list_topics(topic, 10).topics[topic].partitions
        client.assign([TopicPartition(topic, number, 0) for number in partitions])
        found: list[Stamped] = []
        ended: set[Any] = set()
        deadline = time.monotonic() + seconds
        while len(ended) < len(partitions):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{topic} was not read to its end within {seconds} s")
            message = client.poll(1)
            if message is None:
                continue
            if (told := message.error()) is not None:
                # Anything else than its end passes by itself, or the time runs out.
                if told.code() == KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
            else:
                ended.discard(message.partition())
                found.append(stamped(message))
        return found
    finally:
        client.close()


def end(kafka: str, topic: str) -> int:
    """How far a topic's partitions reach, all together: more than its records, for markers count too."""
    return sum(ends(kafka, topic))


def ends(kafka: str, topic: str) -> list[int]:
    """How far each of its partitions reaches."""
    client = Consumer(PROPERTIES | {"bootstrap.servers": kafka})
    try:
        partitions = client.list_topics(topic, 10).topics[topic].partitions
        return [_high(client, TopicPartition(topic, number), time.monotonic() + 30) for number in partitions]
    finally:
        client.close()


def _high(client: Consumer, place: TopicPartition, deadline: float) -> int:
    """How far a partition reaches; asked again while a broker says that its leader is only about to be one."""
    while True:
        try:
            return int(client.get_watermark_offsets(place, 10)[1])
        except KafkaException as error:
            if error.args[0].code() not in SETTLING or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def follow(kafka: str, topic: str, ended: Callable[[], bool]) -> Iterator[tuple[Stamped, float]]:
    """Committed records as they come, from the topic's beginning on until somebody says that it has ended.

    Each with the time at which it arrived here, UNIX seconds.
    """
    client = Consumer(PROPERTIES | {"bootstrap.servers": kafka, "fetch.wait.max.ms": 10})
    try:
        partitions = client.list_topics(topic, 10).topics[topic].partitions
        client.assign([TopicPartition(topic, number, 0) for number in partitions])
        while not ended():
            message = client.poll(0.1)
            if message is not None and not message.error():
                yield stamped(message), time.time()
    finally:
        client.close()


def stamped(message: Any) -> Stamped:
    """A record as the client gives it."""
    return Stamped(
        message.key(),
        message.value(),
        dict(message.headers() or []),
        message.partition(),
        message.timestamp()[1],
        message.offset(),
    )


def shared_by(kafka: str, group: str) -> int:
    """Members of a group that have partitions; 0 while any partition is still on its way from one to another."""
    admin = AdminClient({"bootstrap.servers": kafka})
    try:
        found = admin.describe_consumer_groups([group], request_timeout=10)[group].result(30)
    except KafkaException:
        return 0
    return sum(bool(one.assignment.topic_partitions) for one in found.members if found.state.name == "STABLE")


class Transactions:
    """Writes records in transactions; use it as a context manager."""

    def __init__(self, kafka: str, identity: str) -> None:
        own = {"transactional.id": identity, "log_level": 0, "compression.type": "lz4"}
        self._client = Producer({"bootstrap.servers": kafka, **own})

    def __enter__(self) -> "Transactions":
        self._client.init_transactions(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.flush(30)

    def write(self, records: Iterable[dict[str, Any]], *, abort: bool = False) -> None:
        """One transaction: committed, or aborted after Kafka has it all."""
        self._client.begin_transaction()
        for record in records:
            self._client.produce(**record)
        self._client.flush(30)
        if abort:
            self._client.abort_transaction(30)
        else:
            self._client.commit_transaction(30)
