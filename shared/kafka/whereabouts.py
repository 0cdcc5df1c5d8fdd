"""Where documents are, read from the topics and the groups' progress: no index that could disagree with them.

input topic    beyond the stage's progress   waiting, or being worked on
retry topic    beyond the stage's progress   in retry
parked topic   beyond the stage's progress   parked
review topic   beyond the relay's progress   in review
dlq topic      not resolved                  dead-lettered; discarded by an operator where it is
results topic                                stored, rejected, superseded, …
cancelled topic                              all that is beyond progress, and falls under a word: it is as good as ended

A document moves while this reads. Progress is read stage by stage in the direction of the flow, and the topics' ends
after all of it, so that whatever moves on meanwhile is met again further down and never slips between two reads.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.core import topics
from shared.core.cancellation import CANCELLED, EPOCH, Cancellations, batch_of, submitted_of, version_of
from shared.core.delivery import Delivery
from shared.core.drawing import in_order
from shared.core.errors import Failed
from shared.core.graph import Pipeline
from shared.core.headers import WAITS_FOR, header
from shared.core.progress import decode
from shared.core.stage import Stage
from shared.kafka.cancelled import words
from shared.kafka.dead_letters import ENDS, DeadLetters, Letter
from shared.kafka.reading import Reader, Span
from shared.kafka_port import Offset
from shared.ports import Codec

WAITING, RETRY, PARKED, REVIEW, DEAD = "waiting", "in-retry", "parked", "in-review", "dead-lettered"
"""States of documents that have not ended; the others stand in `DocumentResult.state`."""
MOVING = frozenset((WAITING, RETRY, PARKED, REVIEW))
"""States that a document leaves without an operator's doing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """Where one document is."""

    document_id: str
    """The document."""
    state: str
    """Its state."""
    since: datetime
    """Since when, UTC."""
    stage: str = ""
    """The stage it is at; empty where it has ended."""
    attempts: int = 0
    """Tries that failed at that stage."""
    failure: str = ""
    """Class of the last failure."""
    message: str = ""
    """The last failure in one sentence, or the reason of the end."""
    position: str = ""
    """Where its record stands, or the dead letter's id."""
    batch_id: str = ""
    """The batch it came with, as far as that can be read."""
    version: int = 1
    """Version of the submission, as far as that can be read."""
    submitted_at: datetime = EPOCH
    """When it was handed in, as far as its sender said."""

    @property
    def is_open(self) -> bool:
        """Whether something of it is still to be done, be it only to tell that it is cancelled."""
        return self.state in MOVING or self.state == DEAD or bool(self.stage)

    @property
    def rank(self) -> tuple[bool, datetime]:
        """What is under way counts more than an end, and the newer more than the older."""
        return self.state in MOVING, self.since


@dataclass(frozen=True, slots=True)
class Place:
    """What a record in a topic means."""

    state: str
    """State of the documents in it."""
    stage: Stage[Any, Any] | None
    """Stage whose topic it is."""
    takes: tuple[type[Any], ...]
    """What its records can be."""


@dataclass(frozen=True, slots=True)
class WorkedOff:
    """A group's progress in one partition."""

    base: int
    """The lowest incomplete offset."""
    high: int
    """The highest completed one."""
    incomplete: frozenset[int]
    """What is incomplete in between."""

    @classmethod
    def of(cls, committed: Offset) -> "WorkedOff":
        """Read what the group committed."""
        return cls(committed.offset, *decode(committed.offset, committed.metadata))

    def has(self, offset: int) -> bool:
        """Whether that record is done."""
        return offset < self.base or (offset <= self.high and offset not in self.incomplete)


@dataclass(frozen=True, slots=True)
class Survey:
    """Looks for documents."""

    reader: Reader
    """Reads the topics."""
    pipeline: Pipeline
    """Whose documents."""
    codec: Codec
    """Reads the events."""
    ends: tuple[type[Any], ...]
    """Event types that stand on the results topic."""

    def find(self, document_id: str, *, ends: bool) -> Whereabouts | None:
        """One document; `ends` also asks the results topic, which may be long."""
        return max(self.all(document_id, ends=ends), key=lambda w: w.rank, default=None)

    def all(self, document_id: str, *, ends: bool) -> list[Whereabouts]:
        """Every place at which there is something of a document."""
        key = document_id.encode()
        return [w for w in self._look(lambda record: record.key == key, ends=ends) if w.document_id == document_id]

    def several(self, document_ids: Collection[str]) -> dict[str, Whereabouts]:
        """Those of them that are under way."""
        found: dict[str, Whereabouts] = {}
        for where in self._look(lambda record: document_of(record) in document_ids, ends=False):
            before = found.get(where.document_id)
            if where.document_id in document_ids and (before is None or before.rank <= where.rank):
                found[where.document_id] = where
        return found

    def batch(self, batch_id: str) -> dict[str, Whereabouts]:
        """Every document of a batch."""
        found: dict[str, Whereabouts] = {}
        for where in self._look(lambda record: True, ends=True):
            before = found.get(where.document_id)
            if where.batch_id == batch_id and (before is None or before.rank <= where.rank):
                found[where.document_id] = where
        return found

    def _look(self, wanted: Callable[[Delivery], bool], *, ends: bool) -> Iterator[Whereabouts]:
        places = places_of(self.pipeline)
        results = topics.results(self.pipeline.name)
        progress = self._progress()
        letters = DeadLetters(self.reader, self.pipeline, self.codec)
        done, known = letters.resolutions(), words(self.reader.kafka, self.pipeline)
        dead = {self.pipeline.topics(stage).dead: stage for stage in self.pipeline.stages}
        spans = self.reader.spans([*places, *dead, *([results] if ends else [])])
        for part, worked_off in progress.items():
            spans[part] = Span(max(worked_off.base, spans[part].start), spans[part].end)
        for record in self.reader.read_spans(spans):
            topic = record.position.topic
            done_with = progress.get((topic, record.position.partition))
            if not wanted(record) or (done_with and done_with.has(record.position.offset)):
                continue
            if topic in dead:
                letter = Letter(dead[topic], record)
                if letter.id not in done:
                    yield self._letter(letter, known)
            else:
                yield self._moving(record, places[topic], known) if topic in places else self._end(record)
        for letter_id, note in done.items():
            if note.action in ENDS:
                yield Whereabouts(
                    document_id=note.document_id,
                    state=note.action,
                    since=note.when,
                    message=note.reason,
                    position=letter_id,
                    batch_id=note.batch_id,
                )

    def _progress(self) -> dict[tuple[str, int], WorkedOff]:
        found: dict[tuple[str, int], Offset] = {}
        for stage in in_order(self.pipeline):
            group = topics.group(self.pipeline.name, stage.name)
            found |= self.reader.committed(group, self.pipeline.topics(stage).consumed)
        relay = topics.group(self.pipeline.name, topics.REVIEW)
        found |= self.reader.committed(relay, [topics.review(self.pipeline.name)])
        return {part: WorkedOff.of(committed) for part, committed in found.items()}

    def _moving(self, record: Delivery, place: Place, known: Cancellations) -> Whereabouts:
        history = record.history
        stage = place.stage.name if place.stage else (history.stage if history else "")
        event = self._event(record, place.takes)
        where = Whereabouts(
            document_id=document_of(record),
            state=place.state,
            since=record.appended_at,
            stage=stage,
            attempts=history.attempts if history else 0,
            failure=history.failure.value if history else "",
            message=reason_of(record),
            position=str(record.position),
        )
        return told_of(where, event, known)

    def _letter(self, letter: Letter, known: Cancellations) -> Whereabouts:
        event = letter.event(self.codec)
        where = Whereabouts(
            document_id=letter.document_id,
            state=DEAD,
            since=letter.failed_at,
            stage=letter.stage.name,
            attempts=letter.delivery.history.attempts if letter.delivery.history else 0,
            failure=letter.failure,
            message=letter.message,
            position=letter.id,
        )
        return told_of(where, None if isinstance(event, Failed) else event, known)

    def _end(self, record: Delivery) -> Whereabouts:
        event = self._event(record, self.ends)
        where = Whereabouts(
            document_id=document_of(record),
            state=getattr(event, "state", "stored"),
            since=record.appended_at,
            message=getattr(event, "reason", ""),
            position=str(record.position),
        )
        return told_of(where, event)

    def _event(self, record: Delivery, takes: tuple[type[Any], ...]) -> Any:
        try:
            return None if record.value is None else self.codec.decode(record.value, takes)
        except Failed:
            return None


def told_of(where: Whereabouts, event: Any, known: Cancellations | None = None) -> Whereabouts:
    """The same with what the event says of its submission; cancelled, where it falls under a word of those known."""
    if event is None:
        return where
    found = replace(where, batch_id=batch_of(event), version=version_of(event), submitted_at=submitted_of(event))
    word = known.of(event) if known else None
    return found if word is None else replace(found, state=CANCELLED, message=word.said)


def places_of(pipeline: Pipeline) -> dict[str, Place]:
    """Topic to what its records mean, for everything that is worked off."""
    places = {topics.review(pipeline.name): Place(REVIEW, None, pipeline.given)}
    for stage in pipeline.stages:
        own = pipeline.topics(stage)
        places[own.input] = Place(WAITING, stage, stage.takes)
        places |= {topic: Place(RETRY, stage, stage.takes) for topic in own.retries}
        places[own.parked] = Place(PARKED, stage, stage.takes)
    return places


def reason_of(record: Delivery) -> str:
    """What a record waits for, or how it last failed; empty where neither."""
    if dependency := header(record.headers, WAITS_FOR):
        return f"waits for {dependency}"
    return record.history.message if record.history else ""


def document_of(record: Delivery) -> str:
    """The document a record is about: its key."""
    return (record.key or b"").decode("utf-8", "replace")
