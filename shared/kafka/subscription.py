"""A group member's reading side: batches of deliveries, and what it is told when partitions come and go."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from shared.core.delivery import Delivery
from shared.core.event import Partition, Position
from shared.kafka import progress
from shared.kafka.calls import Calls
from shared.kafka.properties import Properties
from shared.kafka_port import Offset, Owner

ASSIGN_FOR = 45.0
"""Seconds for which committed offsets are asked for; they are withheld while an earlier transaction is pending."""

LAST_MOMENT = 253_402_300_799_000
"""Milliseconds of the last second of the year 9999."""

STOPPING = frozenset(
    (
        KafkaError._AUTO_OFFSET_RESET,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
    )
)
"""What no amount of polling mends: the process ends with the error, and says it again at each start."""


class Subscription:
    """Owns a consumer; one thread uses it, and others read `member`. Implements `GroupMember`."""

    def __init__(self, properties: Properties, topics: Sequence[str], owner: Owner) -> None:
        self.consumer = Consumer(properties)
        """The client."""
        self.member: Any = None
        """The group's generation, by which a transaction is fenced. Asked for on the polling thread after every poll:
        asked for on another one while `consume` runs, both calls wait for each other for ever (seen)."""
        self._properties, self._owner = properties, owner
        self._calls = Calls()
        self._held: frozenset[Partition] = frozenset()
        self._ended: list[Partition] = []
        self._met: dict[Partition, int] = {}
        # Eager assignment replaces the whole set, the newer protocol adds to it and takes from it.
        self._incremental = properties.get("group.protocol") == "consumer"
        self.consumer.subscribe(
            list(topics), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    @property
    def since(self) -> float | None:
        """Monotonic time at which the running client call began; a poll ends in time, what it calls may not."""
        return self._calls.since

    def reached(self, partitions: Sequence[Partition]) -> list[Offset]:
        """What the group has committed there, on any thread. Raises KafkaException."""
        return progress.of_group(self._properties, partitions)

    def poll(self, most: int, seconds: float) -> list[Delivery]:
        """What is there: waits for the first record, not for a full batch. Raises KafkaException if it cannot go on."""
        first = self.consumer.poll(seconds)
        messages = [] if first is None else [first]
        if messages and most > 1:
            messages += self.consumer.consume(most - 1, 0)
        self.member = self._calls.once(self.consumer.consumer_group_metadata)
        return [delivery(message) for message in messages if self._usable(message)]

    def ended(self) -> Sequence[Partition]:
        """Partitions whose end the last polls have met."""
        ended, self._ended = self._ended, []
        return ended

    @property
    def met(self) -> dict[Partition, int]:
        """Where each partition's end was met at last, on any thread."""
        return self._met.copy()

    def behind(self) -> frozenset[Partition]:
        """Partitions that hold more than the polls have brought, as the latest answers of the brokers say."""
        return frozenset(
            (place.topic, place.partition)
            for place in self.consumer.position(self.consumer.assignment())
            # Markers of transactions are behind the last record: only the end that was met says that they were passed.
            if self._high(place) > max(place.offset, self._met.get((place.topic, place.partition), 0))
        )

    def _high(self, place: TopicPartition) -> int:
        _, high = self.consumer.get_watermark_offsets(place, cached=True)
        return int(high)

    def _usable(self, message: Message) -> bool:
        error = message.error()
        if error is not None and error.code() == KafkaError._PARTITION_EOF:
            key = str(message.topic()), int(message.partition() or 0)
            self._ended.append(key)
            self._met[key] = int(message.offset() or 0)
        return usable(message)

    def pause(self) -> None:
        """Fetch nothing more; throws away what was fetched ahead, so it is for long waits only."""
        self.consumer.pause(self.consumer.assignment())

    def resume(self) -> None:
        """Fetch again, save from the partitions that are held back."""
        found = self.consumer.assignment()
        self.consumer.resume([one for one in found if (one.topic, one.partition) not in self._held])

    def hold_back(self, full: frozenset[Partition]) -> None:
        """Fetch nothing more from just these partitions: one that can take no more must not stop the others."""
        if full == self._held:
            return
        held, self._held = self._held, full
        found = {(one.topic, one.partition): one for one in self.consumer.assignment()}
        self.consumer.pause([found[key] for key in full - held if key in found])
        self.consumer.resume([found[key] for key in held - full if key in found])

    def close(self) -> None:
        """Leave the group."""
        self._calls.once(self.consumer.close)

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        asked = [(p.topic, p.partition) for p in partitions]
        found = self._calls.repeat(lambda: progress.of_member(consumer, asked), ASSIGN_FOR)
        starts = [self._start(consumer, place) for place in found]
        held = frozenset(self._owner.assigned(starts))
        places = [TopicPartition(s.topic, s.partition, s.offset) for s in starts]
        consumer.incremental_assign(places) if self._incremental else consumer.assign(places)
        fresh = {(place.topic, place.partition): place for place in places}
        self._met |= {key: place.offset for key, place in fresh.items()}
        # The client remembers that a partition was paused when it was here before, and nobody would think of resuming.
        consumer.resume([place for key, place in fresh.items() if key not in held])
        # At once: the first fetch would bring what is not to be read yet.
        consumer.pause([place for key, place in fresh.items() if key in held])
        self._held = (self._held - fresh.keys()) | (held & fresh.keys())

    def _start(self, consumer: Consumer, found: Offset) -> Offset:
        if found.offset >= 0:
            return found
        place = TopicPartition(found.topic, found.partition)
        low, _ = self._calls.repeat(lambda: consumer.get_watermark_offsets(place, timeout=10), ASSIGN_FOR)
        return Offset(found.topic, found.partition, low, "")

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._owner.revoked([(p.topic, p.partition) for p in partitions])
        self._unassign(consumer, partitions)

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._owner.lost([(p.topic, p.partition) for p in partitions])
        self._unassign(consumer, partitions)

    def _unassign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_unassign(partitions) if self._incremental else consumer.unassign()


def delivery(message: Message) -> Delivery:
    """A view on a consumed message."""
    kind, milliseconds = message.timestamp()
    headers: Any = message.headers() or ()
    where: Any = (message.topic(), message.partition(), message.offset())
    raw: Any = (message.key(), message.value())
    return Delivery(
        position=Position(*where),
        key=raw[0],
        value=raw[1],
        headers=tuple((name, value or b"") for name, value in headers),
        appended_at=moment(milliseconds if kind else 0),
    )


def moment(milliseconds: int) -> datetime:
    """The time of a record, UTC. Any number can stand there: what no calendar has is the nearest time that one has."""
    return datetime.fromtimestamp(min(max(milliseconds, 0), LAST_MOMENT) / 1000, UTC)


def usable(message: Message) -> bool:
    """Whether it is a record; a passing error is none. Raises KafkaException where no polling mends it."""
    error = message.error()
    if error is None:
        return True
    if error.fatal() or error.code() in STOPPING:
        raise KafkaException(error)
    return False
