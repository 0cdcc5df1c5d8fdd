"""The topics a pipeline needs, computed from its value, and made where they are missing."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from shared.core import topics
from shared.core.errors import Misconfigured, Unavailable
from shared.core.graph import Pipeline
from shared.kafka.properties import DEAD_LETTER_BYTES, MESSAGE_BYTES, common

FOREVER = {"retention.ms": "-1", "retention.bytes": "-1"}
"""Nothing that has not been worked off may disappear because time went by."""
COMPACTED = {"cleanup.policy": "compact"}
"""The last word under each key is kept."""
CANCELLED_DAYS = 90
"""How long it is known that a document was cancelled, where nobody says otherwise of the topic."""
FADING = {
    "cleanup.policy": "compact,delete",
    "retention.ms": str(CANCELLED_DAYS * 86_400_000),
    # What is old is deleted a segment at a time, and never the one that is being written.
    "segment.ms": str(7 * 86_400_000),
}
"""The last word under each key, for a time."""


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """A topic as it should be."""

    name: str
    """Its name."""
    partitions: int
    """Fixed when it is made."""
    config: Mapping[str, str] = field(default_factory=dict)
    """What differs from the broker's defaults."""


def plan(pipeline: Pipeline) -> tuple[TopicPlan, ...]:
    """Every topic of the pipeline."""
    large = FOREVER | {"max.message.bytes": str(DEAD_LETTER_BYTES + 100_000)}
    flow = FOREVER | {"max.message.bytes": str(MESSAGE_BYTES + 48_588)}
    plans = [
        TopicPlan(topics.results(pipeline.name), pipeline.partitions, flow),
        TopicPlan(topics.review(pipeline.name), pipeline.partitions, large),
        TopicPlan(topics.resolved(pipeline.name), 1, COMPACTED),
        TopicPlan(topics.receipts(pipeline.name), 1, COMPACTED | {"max.message.bytes": large["max.message.bytes"]}),
        TopicPlan(topics.cancelled(pipeline.name), 1, FADING),
        TopicPlan(topics.SCHEMAS, 1, COMPACTED),
    ]
    for stage in pipeline.stages:
        own = pipeline.topics(stage)
        plans.append(TopicPlan(own.input, pipeline.partitions, flow))
        plans += [TopicPlan(name, pipeline.partitions, large) for name in (*own.retries, own.parked)]
        plans.append(TopicPlan(own.dead, pipeline.partitions, large))
    return tuple(plans)


def ensure(kafka: Mapping[str, Any], wanted: Sequence[TopicPlan], *, replication: int = 1, seconds: float = 30) -> int:
    """Make what is missing and wait until every partition has a leader; gives how many were made.

    Raises Misconfigured where a topic is there with another number of partitions: the partition of a key would change,
    and with it the order of a document's records.
    """
    # Kept in a name: a temporary client is destroyed before its futures resolve.
    admin = AdminClient(common(kafka))
    there = admin.list_topics(timeout=seconds).topics
    # Most often all are there; the metadata tells it sooner than a controller that refuses each.
    made = _make(admin, [topic for topic in wanted if topic.name not in there], replication, seconds)
    _wait_for_leaders(admin, wanted, time.monotonic() + seconds)
    return made


def _make(admin: AdminClient, missing: Sequence[TopicPlan], replication: int, seconds: float) -> int:
    asked = [
        NewTopic(t.name, num_partitions=t.partitions, replication_factor=replication, config=dict(t.config))
        for t in missing
    ]
    made = 0
    for future in admin.create_topics(asked, operation_timeout=seconds).values() if asked else ():
        try:
            future.result(seconds)
            made += 1
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise Unavailable("kafka", f"topics cannot be made: {error.args[0].str()}") from error
        except TimeoutError as error:
            raise Unavailable("kafka", f"topics are not made within {seconds:g} s: look at the broker's log") from error
    return made


def _wait_for_leaders(admin: AdminClient, wanted: Sequence[TopicPlan], deadline: float) -> None:
    while True:
        found = admin.list_topics(timeout=10).topics
        waiting = []
        for topic in wanted:
            there = found.get(topic.name)
            if there is None or any(part.leader < 0 for part in there.partitions.values()) or not there.partitions:
                waiting.append(topic.name)
            elif len(there.partitions) != topic.partitions:
                raise Misconfigured(
                    f"topic {topic.name} has {len(there.partitions)} partitions, the pipeline wants {topic.partitions}:"
                    " give the pipeline that number, or move its documents to a pipeline of another name"
                )
        if not waiting:
            return
        if time.monotonic() > deadline:
            raise Unavailable("kafka", f"no leader for {', '.join(waiting[:3])}: look at the broker's log")
        time.sleep(0.05)
