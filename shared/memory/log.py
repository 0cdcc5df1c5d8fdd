"""A compacted topic of the Kafka in memory, read whole and then followed."""

from collections.abc import Iterable, Sequence

from shared.core.delivery import Delivery
from shared.memory.kafka import MemoryKafka


class MemoryLog:
    """`Log` in memory."""

    whole = False
    """Everything that was there when the reading began has been given."""

    def __init__(self, kafka: MemoryKafka, topic: str) -> None:
        self._kafka, self._part = kafka, (topic, 0)
        self._next = 0

    def poll(self, seconds: float) -> Sequence[tuple[bytes, bytes | None]]:
        """See `Log.poll`."""
        with self._kafka.changed:
            self._kafka.changed.wait_for(lambda: not self.whole or any(self._new()), seconds)
            found = list(self._new())
            self.whole = True
        if found:
            self._next = found[-1].position.offset + 1
        return [(each.key, each.value) for each in found if each.key is not None]

    def _new(self) -> Iterable[Delivery]:
        return self._kafka.readable(self._part, self._next)

    def close(self) -> None:
        """Let go of it."""
