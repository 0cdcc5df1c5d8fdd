"""How things stand in a broker that nobody else uses, for the message of a test that waited in vain."""

from collections.abc import Iterator
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

Place = tuple[str, int]


def how_it_stands(kafka: str) -> str:
    """Each partition with records: up to where it is committed where that is not its end, and how far groups are."""
    admin = AdminClient({"bootstrap.servers": kafka})
    topics = admin.list_topics(timeout=30).topics
    places = [
        TopicPartition(topic, number)
        for topic in topics
        if not topic.startswith("__")
        for number in topics[topic].partitions
    ]
    committed = dict(_ends(admin, places, IsolationLevel.READ_COMMITTED))
    ends = dict(_ends(admin, places, IsolationLevel.READ_UNCOMMITTED))
    lines = [
        f"{topic}/{number}: {end}"
        + f", readers get up to {committed[topic, number]}" * (end > committed[topic, number])
        for (topic, number), end in sorted(ends.items())
        if end
    ]
    lines += [
        f"{group.group_id}: {topic}/{number} at {offset} of {ends[topic, number]}"
        for group in admin.list_consumer_groups().result(30).valid
        for (topic, number), offset in sorted(_progress(admin, group.group_id))
        if ends.get((topic, number), 0) != offset
    ]
    return "\n".join(lines)


def _ends(admin: Any, places: list[TopicPartition], isolation: IsolationLevel) -> Iterator[tuple[Place, int]]:
    answers = admin.list_offsets(dict.fromkeys(places, OffsetSpec.latest()), isolation_level=isolation)
    return (((place.topic, place.partition), future.result(30).offset) for place, future in answers.items())


def _progress(admin: Any, group: str) -> Iterator[tuple[Place, int]]:
    [future] = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
    return (((one.topic, one.partition), one.offset) for one in future.result(30).topic_partitions)
