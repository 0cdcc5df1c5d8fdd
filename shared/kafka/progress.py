"""What a group has committed, asked for by a member on its own thread, or from outside on any."""

from collections.abc import Iterable, Sequence

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from shared.core.event import Partition
from shared.kafka.properties import Properties, outside
from shared.kafka_port import Offset

SECONDS = 10.0
"""How long one question may take; no answer comes while a transaction with such offsets is open."""


def of_member(consumer: Consumer, partitions: Sequence[Partition]) -> list[Offset]:
    """Committed offsets; -1 where there is none. Raises KafkaException. Only for the thread that polls."""
    return _offsets(consumer.committed([TopicPartition(*partition) for partition in partitions], timeout=SECONDS))


def of_group(consuming: Properties, partitions: Sequence[Partition]) -> list[Offset]:
    """The same by a client of its own: asked of a consumer while another thread polls it, the answer may never come."""
    asked = [TopicPartition(*partition) for partition in partitions]
    # Kept in a name: a temporary client is destroyed before its futures resolve.
    admin = AdminClient(outside(consuming))
    (future,) = admin.list_consumer_group_offsets(
        [ConsumerGroupTopicPartitions(consuming["group.id"], asked)], require_stable=True, request_timeout=SECONDS
    ).values()
    return _offsets(future.result(SECONDS + 5).topic_partitions)


def _offsets(found: Iterable[TopicPartition]) -> list[Offset]:
    offsets = []
    for place in found:
        if place.error:
            raise KafkaException(place.error)
        offsets.append(Offset(place.topic, place.partition, max(place.offset, -1), place.metadata or ""))
    return offsets
