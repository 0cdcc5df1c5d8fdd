"""Decisions to records as Kafka takes them.

One record that Kafka refuses aborts the transaction of all others, at every try: so what cannot be encoded, or is too
large, is found out here, and becomes a dead letter that can be written.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.core.delivery import Delivery
from shared.core.errors import Failed
from shared.core.event import Event
from shared.core.failures import Failure
from shared.core.outcome import DeadLetter, Outcome
from shared.core.settle import Place, Settled, Write, settle
from shared.kafka.properties import MESSAGE_BYTES
from shared.kafka_port import Record
from shared.ports import Codec
from shared.runtime.flow.share import Taken


@dataclass(frozen=True, slots=True)
class Encoder:
    """Everything that a decision writes, as bytes."""

    place: Place
    """Where the decision was made."""
    codec: Codec
    """Encodes its events."""
    now: Callable[[], datetime]
    """UTC."""
    observe: Callable[[Delivery, Outcome[Any], float], None]
    """Told of each decision that could not be written."""

    def __call__(self, taken: Taken, settled: Settled) -> tuple[Record, ...]:
        """The records of a decision, or of the dead letter it had to become."""
        try:
            return tuple(self._record(write) for write in settled.writes)
        except Failed as error:
            outcome = DeadLetter(error.failure, error.message)
            self.observe(taken.delivery, outcome, 0.0)
            instead = settle(self.place, taken.delivery, None, outcome, self.now())
            return tuple(self._record(write) for write in instead.writes)

    def _record(self, write: Write) -> Record:
        return Record(write.topic, write.key, encode(self.codec, write.value), write.headers, write.partition)


def encode(codec: Codec, value: Event | bytes | None) -> bytes | None:
    """An event as bytes; bytes as they are. Raises Failed(too_large) for an event that no input topic takes."""
    if value is None or isinstance(value, bytes):
        return value
    encoded = codec.encode(value)
    if len(encoded) > MESSAGE_BYTES:
        raise Failed(
            Failure.TOO_LARGE,
            f"the {type(value).__name__} has {len(encoded):,} bytes, a record takes {MESSAGE_BYTES:,}: carry its large"
            " fields by reference",
        )
    return encoded
