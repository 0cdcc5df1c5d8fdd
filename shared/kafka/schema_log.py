"""The compacted topic `penstock.schemas`: fingerprint to schema, so that events can be read without a registry."""

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from shared.core.errors import Unavailable
from shared.core.topics import SCHEMAS
from shared.kafka.properties import common, producer

SECONDS = 10.0


class SchemaLog:
    """Reads what is new in the topic, and adds what it lacks. Not for two threads at once."""

    def __init__(self, kafka: Mapping[str, Any]) -> None:
        self._kafka = kafka
        self._next = 0
        self._told: set[str] = set()

    def read(self) -> list[str]:
        """Schemas that were added since the last call, as JSON. Raises Unavailable."""
        consumer = Consumer(
            common(self._kafka)
            | {"group.id": "penstock.schemas", "enable.auto.commit": False, "enable.partition.eof": True}
        )
        try:
            consumer.assign([TopicPartition(SCHEMAS, 0, self._next)])
            found: list[str] = []
            while (message := consumer.poll(SECONDS)) is not None:
                error = message.error()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:
                    return found
                if error is not None:
                    raise KafkaException(error)
                self._next = (message.offset() or 0) + 1
                key, value = message.key(), message.value()
                if isinstance(key, bytes) and isinstance(value, bytes):
                    self._told.add(key.decode())
                    found.append(value.decode())
            raise Unavailable("kafka", f"{SCHEMAS} was not read within {SECONDS:.0f} s")
        except KafkaException as error:
            raise Unavailable("kafka", f"{SCHEMAS}: {error.args[0].str()}") from error
        finally:
            consumer.close()

    def add(self, schemas: Iterable[tuple[str, str]]) -> None:
        """Publish the (fingerprint, schema) pairs that the topic was not seen to hold. Raises Unavailable."""
        missing = [(mark, schema) for mark, schema in schemas if mark not in self._told]
        if not missing:
            return
        client = Producer(producer(self._kafka))
        for mark, schema in missing:
            client.produce(SCHEMAS, key=mark, value=schema.encode())
        if client.flush(SECONDS):
            raise Unavailable("kafka", f"schemas were not written to {SCHEMAS} within {SECONDS:.0f} s")
        self._told.update(mark for mark, _ in missing)
