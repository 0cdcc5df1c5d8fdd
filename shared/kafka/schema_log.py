"""The compacted topic `penstock.schemas`: fingerprint to schema, so that events can be read without a registry."""

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import Producer

from shared.core.errors import Unavailable
from shared.core.topics import SCHEMAS
from shared.kafka.log import KafkaLog
from shared.kafka.properties import producer

SECONDS = 10.0


class SchemaLog:
    """Reads what is new in the topic, and adds what it lacks. Not for two threads at once."""

    def __init__(self, kafka: Mapping[str, Any]) -> None:
        self._kafka = kafka
        self._log = KafkaLog(kafka, SCHEMAS, wait_ms=10)
        self._told: set[str] = set()

    def read(self) -> list[str]:
        """Schemas that were added since the last call, as JSON. Raises Unavailable."""
        found = [(key.decode(), value.decode()) for key, value in self._log.rest(SECONDS) if value is not None]
        self._told.update(mark for mark, _ in found)
        return [schema for _, schema in found]

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
