"""What the topics and the groups' progress tell an audit: a fact for each record, document by document.

A document moves while this reads, so the order of the questions matters:
  1. progress: whatever is completed by now has its outputs in the topics
  2. the ends of the topics, against the direction of the flow: what moves on meanwhile is met behind, never in front
  3. progress again: whatever was put out up to those ends is completed by now
Nothing is read beyond the ends, so a record is surely completed (1), perhaps (3), or not.
"""

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.core import topics
from shared.core.conservation.facts import DELETED, Facts, Finding, Seen
from shared.core.delivery import Delivery
from shared.core.drawing import in_order
from shared.core.errors import Failed, Unavailable
from shared.core.graph import Pipeline
from shared.core.headers import STAGE, header
from shared.core.shelves import Kind, Shelf, shelves
from shared.kafka.dead_letters import DeadLetters
from shared.kafka.reading import Partition, Reader, Span
from shared.kafka.whereabouts import WorkedOff, document_of
from shared.ports import Codec


@dataclass(slots=True)
class Books:
    """Everything that was read."""

    facts: dict[str, list[Seen]] = field(default_factory=lambda: defaultdict(list))
    """Document to its records."""
    sent: tuple[int, int] = (0, 0)
    """Number of the last decision sent, before and after."""
    deleted: list[Finding] = field(default_factory=list)
    """Stretches that are gone, and that no checkpoint accounts for."""

    @property
    def documents(self) -> Mapping[str, Facts]:
        """Document to its records."""
        return self.facts


@dataclass(frozen=True, slots=True)
class Bookkeeper:
    """Reads the topics of a pipeline for an audit."""

    reader: Reader
    """Reads the topics."""
    pipeline: Pipeline
    """Whose documents."""
    codec: Codec
    """Reads the events."""
    ends: tuple[type[Any], ...]
    """Event types that stand on the results topic."""
    most: int = 0
    """Records beyond which it refuses, for all facts are in memory; 0: any number."""

    def read(self, checkpoint: Mapping[Partition, int]) -> Books:
        """All records from the checkpoint on: what lies before it is accounted for elsewhere."""
        known = shelves(self.pipeline, self.ends)
        before = self._progress()  # 1
        spans = self._spans([topic for topic, shelf in known.items() if shelf.kind is not Kind.NOTE])  # 2
        after = self._progress()  # 3
        letters = DeadLetters(self.reader, self.pipeline, self.codec)
        done = {str(letters.position(one)): note.action for one, note in letters.resolutions().items()}
        books = Books(sent=(self._sent(before), self._sent(after)))
        for part, span in spans.items():
            start = checkpoint.get(part, 0)
            if span.start > start and span.end > start:
                books.deleted.append(_gone(part, start, span.start, known[part[0]].stage))
            spans[part] = Span(max(span.start, start), span.end)
        self._check(sum(span.end - span.start for span in spans.values()))
        for record in self.reader.read_spans(spans):
            place = record.position
            part = (place.topic, place.partition)
            reached = [part in progress and progress[part].has(place.offset) for progress in (before, after)]
            seen = self._seen(record, known[place.topic], reached, done.get(str(place), ""))
            if seen:
                books.facts[seen.document].append(seen)
        return books

    def _check(self, records: int) -> None:
        if 0 < self.most < records:
            said = (
                f"{records:,} records lie behind the checkpoint, and {self.most:,} are read here: run `penstock audit`"
            )
            raise Unavailable("audit", said)

    def _spans(self, names: Sequence[str]) -> dict[Partition, Span]:
        spans: dict[Partition, Span] = {}
        for topic in names:
            spans |= self.reader.spans([topic])
        return spans

    def _progress(self) -> dict[Partition, WorkedOff]:
        found: dict[Partition, WorkedOff] = {}
        for stage in in_order(self.pipeline):
            group = topics.group(self.pipeline.name, stage.name)
            committed = self.reader.committed(group, self.pipeline.topics(stage).consumed)
            found |= {part: WorkedOff.of(offset) for part, offset in committed.items()}
        desk = [topics.review(self.pipeline.name), topics.results(self.pipeline.name)]
        committed = self.reader.committed(topics.group(self.pipeline.name, topics.REVIEW), desk)
        return found | {part: WorkedOff.of(offset) for part, offset in committed.items()}

    def _sent(self, progress: Mapping[Partition, WorkedOff]) -> int:
        """The desk notes the number of the last decision it has sent as its offset in the results topic."""
        found = progress.get((topics.results(self.pipeline.name), 0))
        return found.base if found else 0

    def _seen(self, record: Delivery, shelf: Shelf, known: Sequence[bool], done: str) -> Seen | None:
        event = self._event(record, shelf.takes)
        stage = shelf.stage
        if shelf.kind is Kind.REVIEW:
            stage = header(record.headers, STAGE)
            if not (record.key and record.value and stage):
                # It asks for nothing, and the desk leaves it: no document is in it.
                return None
        result = shelf.kind is Kind.RESULT
        return Seen(
            kind=shelf.kind,
            place=str(record.position),
            document=sys.intern(document_of(record)),
            stage=stage,
            batch=sys.intern(str(getattr(event, "batch_id", ""))),
            event_id=str(getattr(event, "event_id", "")),
            # Also of an input: somebody may have copied a dead letter there with all its headers.
            origin=str(record.origin) if record.origin != record.position else "",
            replayed=str(record.reentry.letter) if shelf.kind is Kind.INPUT and record.reentry else "",
            sure=known[0],
            maybe=known[1],
            state=str(getattr(event, "state", "stored")) if result else done,
            version=getattr(event, "version", None) if result and hasattr(event, "state") else None,
        )

    def _event(self, record: Delivery, takes: tuple[type[Any], ...]) -> Any:
        try:
            return None if record.value is None else self.codec.decode(record.value, takes)
        except Failed:
            return None


def _gone(part: Partition, start: int, end: int, stage: str) -> Finding:
    said = f"offsets {start} to {end - 1} are deleted, and no checkpoint of the audit holds what they were"
    return Finding(DELETED, "", stage, f"{part[0]}/{part[1]}", said)
