"""What the topics and the groups' progress tell an audit: a fact for each record, document by document.

A document moves while this reads, so the order of the questions matters:
  1. progress: whatever is completed by now has its outputs in the topics
  2. the ends of the topics, against the direction of the flow: what moves on meanwhile is met behind, never in front
  3. progress again: whatever was put out up to those ends is completed by now
Nothing is read beyond the ends, so a record is surely completed (1), perhaps (3), or not.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from shared.core import topics
from shared.core.conservation.account import WAITING
from shared.core.conservation.facts import DELETED, Facts, Finding, Seen
from shared.core.delivery import Delivery
from shared.core.drawing import in_order
from shared.core.errors import Failed, Unavailable
from shared.core.event import Partition, Position
from shared.core.failures import Failure
from shared.core.graph import Pipeline
from shared.core.headers import STAGE, header
from shared.core.shelves import Kind, Shelf, shelves
from shared.kafka.dead_letters import DeadLetters
from shared.kafka.reading import Reader, Span
from shared.kafka.whereabouts import WorkedOff, document_of
from shared.ports import Codec


@dataclass(slots=True)
class Books:
    """Everything that was read."""

    facts: dict[str, list[Seen]] = field(default_factory=lambda: defaultdict(list))
    """Document to its records."""
    spans: Mapping[Partition, Span] = field(default_factory=dict)
    """What the topics hold; the ends are those up to which was read."""
    progress: tuple[Mapping[Partition, WorkedOff], Mapping[Partition, WorkedOff]] = ({}, {})
    """What the groups had completed, before and after."""
    sent: tuple[int, int] = (0, 0)
    """Number of the last decision sent, before and after."""
    done: Mapping[str, str] = field(default_factory=dict)
    """Place of a dead letter to what was done about it."""
    whole: bool = True
    """Everything up to the topics' ends was read."""
    unread: dict[Partition, dict[int, datetime]] = field(default_factory=lambda: defaultdict(dict))
    """Records whose schema nobody knows by now, each with its time: what is in them may still come out."""

    @property
    def documents(self) -> Mapping[str, Facts]:
        """Document to its records."""
        return self.facts

    @property
    def ends(self) -> dict[Partition, int]:
        """Partition to the offset up to which was read."""
        return {part: span.end for part, span in self.spans.items()}

    def requests(self) -> list[str]:
        """Places of all requests for a person."""
        return [seen.place for facts in self.facts.values() for seen in facts if seen.kind is Kind.REVIEW]

    def recall(self, facts: Iterable[Seen]) -> None:
        """Add what was kept elsewhere of records before these, as it stands now.

        Who kept it may have gone on meanwhile: what was read here as well counts once, and what lies behind the ends
        up to which was read here was not yet there.
        """
        known = {seen.place for found in self.facts.values() for seen in found}
        for seen in facts:
            place = Position.parse(seen.place)
            span = self.spans.get((place.topic, place.partition))
            if seen.place not in known and span is not None and place.offset < span.end:
                self.facts[seen.document].append(self.standing(seen, place))

    def standing(self, seen: Seen, place: Position) -> Seen:
        """The fact with what is known of it only now."""
        sure, maybe = reached(self.progress, place)
        state = self.done.get(seen.place, "") if seen.kind is Kind.LETTER else seen.state
        return replace(seen, document=sys.intern(seen.document), sure=sure, maybe=maybe, state=state)

    def behind(self, checkpoint: Mapping[Partition, int]) -> Iterator[Seen]:
        """Facts of records that lie before a checkpoint: that they were there once does not say that they are."""
        for facts in self.facts.values():
            for seen in facts:
                place = Position.parse(seen.place)
                if place.offset < checkpoint.get((place.topic, place.partition), 0):
                    yield seen

    def gone(self, checkpoint: Mapping[Partition, int], stages: Mapping[str, str]) -> list[Finding]:
        """Stretches that are gone and that no checkpoint accounts for; `stages`: topic to whose it is."""
        found = []
        for part, span in self.spans.items():
            known, said = checkpoint.get(part, 0), ""
            if span.end < known:
                said = f"it ends at {span.end}, and the checkpoint of the audit stands at {known}: it was made anew"
            elif known < span.start and known < span.end:
                said = f"offsets {known} to {span.start - 1} are deleted, and no checkpoint of the audit has them"
            if said:
                found.append(Finding(DELETED, "", stages[part[0]], f"{part[0]}/{part[1]}", said))
        return found


def reached(progress: Iterable[Mapping[Partition, WorkedOff]], place: Position) -> tuple[bool, bool]:
    """Whether a record was completed before the reading, and after it."""
    part = (place.topic, place.partition)
    before, after = (part in one and one[part].has(place.offset) for one in progress)
    return before, after


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

    def read(self, checkpoint: Mapping[Partition, int], *, cut: bool = False) -> Books:
        """All records from the checkpoint on: what lies before it is accounted for elsewhere.

        `cut`: of more than it may read it reads the first ones of each partition, and does not refuse.
        """
        known = shelves(self.pipeline, self.ends)
        before = self._progress()  # 1
        spans = self._spans([topic for topic, shelf in known.items() if shelf.kind is not Kind.NOTE])  # 2
        after = self._progress()  # 3
        letters = DeadLetters(self.reader, self.pipeline, self.codec)
        done = {str(letters.position(one)): note.action for one, note in letters.resolutions().items()}
        wanted = {part: Span(max(span.start, checkpoint.get(part, 0)), span.end) for part, span in spans.items()}
        if cut:
            whole, wanted = wanted, shortened(wanted, self.most)
            spans = {part: Span(span.start, min(span.end, wanted[part].end)) for part, span in spans.items()}
        else:
            self._check(sum(max(span.end - span.start, 0) for span in wanted.values()))
        books = Books(
            spans=spans,
            progress=(before, after),
            sent=(self._sent(before), self._sent(after)),
            done=done,
            whole=not cut or wanted == whole,
        )
        for record in self.reader.read_spans(wanted):
            place = record.position
            event = self._event(record, known[place.topic].takes, books)
            seen = seen_of(record, known[place.topic], event, reached((before, after), place), done)
            if seen:
                books.facts[seen.document].append(seen)
        return books

    def stages(self) -> dict[str, str]:
        """Topic to the stage whose it is."""
        return {topic: shelf.stage for topic, shelf in shelves(self.pipeline, self.ends).items()}

    def lost(self, facts: Iterable[Seen]) -> list[Finding]:
        """Of what waits or is a dead letter that nobody has acted on: those whose records are no longer there."""
        needed = {
            Position.parse(seen.place): seen
            for seen in facts
            if (seen.kind in WAITING and not seen.maybe) or (seen.kind is Kind.LETTER and not seen.state)
        }
        there = {record.position for record in self.reader.read_places(needed)}
        said = "it has not ended, and its record is deleted"
        return [
            Finding(DELETED, seen.document, seen.stage, seen.place, said)
            for place, seen in needed.items()
            if place not in there
        ]

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

    def _event(self, record: Delivery, takes: tuple[type[Any], ...], books: Books) -> Any:
        try:
            return None if record.value is None else self.codec.decode(record.value, takes)
        except Failed as error:
            if error.failure is Failure.UNKNOWN_SCHEMA:
                place = record.position
                books.unread[place.topic, place.partition][place.offset] = record.appended_at
            return None


def seen_of(
    record: Delivery, shelf: Shelf, event: Any, known: tuple[bool, bool], done: Mapping[str, str]
) -> Seen | None:
    """What a record says; None where no document is in it. `event` is None where it could not be read."""
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
        state=str(getattr(event, "state", "stored")) if result else done.get(str(record.position), ""),
        version=getattr(event, "version", None) if result and hasattr(event, "state") else None,
    )


def shortened(spans: Mapping[Partition, Span], most: int) -> dict[Partition, Span]:
    """The first part of each, so that all together are about so many records; 0: all of them."""
    total = sum(max(span.end - span.start, 0) for span in spans.values())
    if not 0 < most < total:
        return dict(spans)
    # At least one of each: however small the share, it goes on.
    return {
        part: Span(span.start, min(span.end, span.start + max((span.end - span.start) * most // total, 1)))
        for part, span in spans.items()
    }
