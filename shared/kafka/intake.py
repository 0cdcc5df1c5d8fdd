"""A group member that reads into something idempotent: at least once, progress committed after the work.

For services that keep what they read in a table whose rows have a name; stages use transactions instead.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer

from shared.core.delivery import Delivery
from shared.core.event import Partition
from shared.kafka import progress
from shared.kafka.properties import consumer
from shared.kafka.subscription import delivery, usable
from shared.kafka_port import Offset


class Intake:
    """Owns a consumer; one thread uses it. Implements `Group`."""

    def __init__(self, kafka: Mapping[str, Any], group: str, topics: Sequence[str], protocol: str) -> None:
        # Everything is taken in twice without harm, so a missing offset may begin again at the start.
        properties = consumer(kafka, group, protocol) | {"auto.offset.reset": "earliest"}
        self.consumer = Consumer(properties)
        """The client."""
        self.member: Any = None
        """Its generation, by which a transaction is fenced."""
        self.consumer.subscribe(list(topics))

    def poll(self, most: int, seconds: float) -> list[Delivery]:
        """What is there, waiting for the first record. Raises KafkaException when it cannot go on."""
        first = self.consumer.poll(seconds)
        messages = [] if first is None else [first, *self.consumer.consume(most - 1, 0)]
        self.member = self.consumer.consumer_group_metadata()
        return [delivery(message) for message in messages if usable(message)]

    def commit(self) -> None:
        """All that was polled is kept."""
        self.consumer.commit(asynchronous=False)

    def owns(self, partition: int) -> bool:
        """Whether the group gave that partition of any topic to this process."""
        return any(one.partition == partition for one in self.consumer.assignment())

    def committed(self, topic: str, partition: int) -> int:
        """The group's committed offset there; 0 where there is none."""
        (found,) = self.reached([(topic, partition)])
        return max(found.offset, 0)

    def reached(self, partitions: Sequence[Partition]) -> list[Offset]:
        """The group's committed offsets; -1 where there is none."""
        return progress.of_member(self.consumer, partitions)

    def close(self) -> None:
        """Leave the group."""
        self.consumer.close()
