"""Who still needs which records of a pipeline's topics, asked of Kafka; and their deletion."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from shared.core import topics
from shared.core.event import Partition, Position
from shared.core.graph import Pipeline
from shared.core.retention import Bound, Cut
from shared.kafka.reading import SECONDS, Reader, Span, mapped_errors, settled
from shared.kafka.receipts import DONE, Receipts

GONE = frozenset((KafkaError.GROUP_ID_NOT_FOUND,))
"""What is said of a group that ended since it was listed."""


@dataclass(frozen=True, slots=True)
class Keeper:
    """Asks and deletes, for one pipeline."""

    reader: Reader
    """Reads the topics."""
    pipeline: Pipeline
    """Whose topics."""

    def topics(self) -> dict[str, str]:
        """Topics that are emptied, each with the group that works it off; empty where a topic has none.

        Not the results: they are for readers who need no group and whom nobody knows, and in the review desk's group
        an offset of theirs is not one. Not the requests for a person: the desk's table knows them by their places.
        """
        found: dict[str, str] = {}
        for stage in self.pipeline.stages:
            own = self.pipeline.topics(stage)
            found |= dict.fromkeys(own.consumed, topics.group(self.pipeline.name, stage.name))
            found[own.dead] = ""
        return found

    def spans(self) -> dict[Partition, Span]:
        """What they hold."""
        return self.reader.spans(self.topics())

    def groups(self, spans: Collection[Partition]) -> dict[Partition, list[Bound]]:
        """Every group that Kafka knows and that reads there, up to where it has committed.

        Who is assigned a partition and has committed nothing begins at its start some time, and so does the stage that
        has never worked: they need all of it.
        """
        found: dict[Partition, list[Bound]] = {part: [] for part in spans}
        owners = self.topics()
        admin = AdminClient(self.reader.kafka)
        with mapped_errors("groups"):
            names = sorted(self._names(admin))
            committed = {name: self._committed(admin, name) for name in names}
            assigned = dict(self._assigned(admin, names))
        for part in spans:
            readers = {owners[part[0]]} - {""}
            readers |= {name for name in names if part in committed[name] or part in assigned.get(name, ())}
            for name in sorted(readers):
                offset = committed.get(name, {}).get(part, 0)
                found[part].append(Bound(offset, f"group {name}"))
        return found

    def _names(self, admin: AdminClient) -> Iterator[str]:
        listed = settled(lambda: admin.list_consumer_groups(request_timeout=SECONDS).result(SECONDS))
        if listed.errors:
            raise listed.errors[0]
        return (one.group_id for one in listed.valid)

    def _committed(self, admin: AdminClient, group: str) -> dict[Partition, int]:
        asked = [ConsumerGroupTopicPartitions(group)]

        def ask() -> list[TopicPartition]:
            answers = admin.list_consumer_group_offsets(asked, request_timeout=SECONDS)
            return list(answers[group].result(SECONDS).topic_partitions)

        found = settled(ask)
        # An offset that is not told need not be none: what cannot be read holds everything.
        return {(one.topic, one.partition): 0 if one.error else one.offset for one in found if one.offset >= 0}

    def _assigned(self, admin: AdminClient, names: list[str]) -> Iterator[tuple[str, frozenset[Partition]]]:
        for name, future in (admin.describe_consumer_groups(names, request_timeout=SECONDS) if names else {}).items():
            try:
                members = future.result(SECONDS).members
            except KafkaException as error:
                if error.args[0].code() in GONE:
                    continue
                raise
            yield (
                name,
                frozenset(
                    (part.topic, part.partition)
                    for member in members
                    for whose in (member.assignment, member.target_assignment)
                    for part in (whose.topic_partitions if whose else ())
                ),
            )

    def replays(self) -> dict[Partition, list[Bound]]:
        """What replays that are not done have chosen, and what they watch."""
        found: dict[Partition, list[Bound]] = {}
        receipts = Receipts(self.reader, self.pipeline)
        for receipt in receipts.all():
            plan = receipts.plan(receipt.id) if receipt.state != DONE else None
            if plan is None:
                continue
            places = [self._letter(entry.letter) for entry in plan.entries]
            places += [Position.parse(entry.source) for entry in plan.entries if entry.source]
            places += [Position.parse(f"{part}/{offset}") for part, offset in receipt.begin.items()]
            for place in filter(None, places):
                found.setdefault((place.topic, place.partition), []).append(
                    Bound(place.offset, f"replay {receipt.id}, which is {receipt.state}")
                )
        return found

    def _letter(self, letter: str) -> Position | None:
        stage, _, place = letter.partition("/")
        known = next((one for one in self.pipeline.stages if one.name == stage), None)
        return Position.parse(f"{self.pipeline.topics(known).dead}/{place}") if known else None

    def younger(self, spans: Mapping[Partition, Span], than: datetime) -> dict[Partition, list[Bound]]:
        """From where on records are younger, by the times in them."""
        asked = OffsetSpec.for_timestamp(int(than.timestamp() * 1000))
        offsets = self.reader.offsets(spans, asked)
        # None is as young: all of it is older.
        return {part: [Bound(at if at >= 0 else spans[part].end, "their age")] for part, at in offsets.items()}

    def delete(self, cuts: Collection[Cut]) -> None:
        """Delete what goes. Raises Unavailable."""
        # A negative offset would mean the end of the partition to Kafka.
        asked = [TopicPartition(one.topic, one.partition, one.next) for one in cuts if one.next > one.begin >= 0]
        if not asked:
            return
        admin = AdminClient(self.reader.kafka)
        with mapped_errors("deletion of records"):
            for future in admin.delete_records(asked, request_timeout=SECONDS).values():
                future.result(SECONDS)
