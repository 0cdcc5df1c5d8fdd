"""What the engine asks of an event, and how an event gets its id."""

import uuid
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

NAMESPACE = uuid.UUID("6f8c2a1e-0f6d-5a0b-9d57-70e4573c0de5")
"""Root of every derived event id."""


class Event(Protocol):
    """An Avro-typed fact about one document; the classes that `schemas.generate` writes are events."""

    __avro__: ClassVar[str]
    """Its schema, complete in itself."""

    @property
    def document_id(self) -> str:
        """The document it is about, and the key of its record."""
        ...

    @classmethod
    def from_avro(cls, record: Any) -> Any:
        """Build it from what an Avro library decoded."""
        ...

    def to_avro(self) -> dict[str, Any]:
        """Give what an Avro library encodes."""
        ...


Partition = tuple[str, int]
"""Topic and number."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record stands in Kafka."""

    topic: str
    """Topic."""
    partition: int
    """Partition."""
    offset: int
    """Offset."""

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """Read back what `str` wrote. Raises ValueError."""
        topic, partition, offset = text.rsplit("/", 2)
        return cls(topic, int(partition), int(offset))


def derived_id(parent: str, stage: str, index: int) -> str:
    """The id of the index-th event that a stage emits for a parent: the same input always gives the same id."""
    return str(uuid.uuid5(NAMESPACE, f"{parent}/{stage}/{index}"))
