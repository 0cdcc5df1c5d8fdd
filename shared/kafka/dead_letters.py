"""The dead letters of a pipeline, and what was done about them.

A dead letter is known by `stage/partition/offset`, its place in `<pipeline>.<stage>.dlq`. It is unresolved until
`<pipeline>.dlq.resolved` has a record under that key; acting on letters stands in `shared.kafka.resolving`.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from shared.core import topics
from shared.core.delivery import Delivery
from shared.core.errors import Failed
from shared.core.graph import Pipeline
from shared.core.stage import Stage
from shared.kafka.reading import Reader, Span
from shared.ports import Codec

REPLAYED, DISCARDED = "replayed", "discarded"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What was done about a dead letter: the value in `<pipeline>.dlq.resolved`."""

    action: str
    """`replayed` or `discarded`."""
    receipt: str
    """Names the run that did it."""
    by: str
    """Who did it."""
    reason: str
    """Why."""
    at: str
    """When, ISO 8601, UTC."""
    document_id: str = ""
    """The document, as far as the letter's key tells."""
    batch_id: str = ""
    """The batch it came with, where that could be read."""

    def to_json(self) -> bytes:
        """As it stands in Kafka."""
        return json.dumps(asdict(self), ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Resolution":
        """Read it back; what a later version added is left out. Raises ValueError where nobody of us wrote it."""
        raw = json.loads(data)
        if not isinstance(raw, dict):
            raise ValueError(f"not a resolution: {data[:80]!r}")
        note = cls(**{name: str(raw.get(name, "")) for name in cls.__dataclass_fields__})
        datetime.fromisoformat(note.at)
        return note

    @property
    def when(self) -> datetime:
        """When, as a time."""
        return datetime.fromisoformat(self.at)


@dataclass(frozen=True)
class Letter:
    """A dead letter."""

    stage: Stage[Any, Any]
    """The stage it failed in."""
    delivery: Delivery
    """The record, its bytes as they came."""

    @property
    def id(self) -> str:
        """stage/partition/offset."""
        return f"{self.stage.name}/{self.delivery.position.partition}/{self.delivery.position.offset}"

    @property
    def document_id(self) -> str:
        """The document, as far as the key tells; empty where there is none."""
        return (self.delivery.key or b"").decode("utf-8", "replace")

    @property
    def failure(self) -> str:
        """Failure class; empty where somebody else wrote the record."""
        return self.delivery.history.failure.value if self.delivery.history else ""

    @property
    def message(self) -> str:
        """The failure in one sentence."""
        return self.delivery.history.message if self.delivery.history else "a record without a history of ours"

    @property
    def failed_at(self) -> datetime:
        """When it last failed, UTC."""
        return self.delivery.history.failed_at if self.delivery.history else self.delivery.appended_at

    def event(self, codec: Codec) -> Any | Failed:
        """The event in it, or why there is none."""
        if self.delivery.value is None:
            return None
        try:
            return codec.decode(self.delivery.value, self.stage.takes)
        except Failed as error:
            return error


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters are meant; every part that is given must hold."""

    ids: frozenset[str] = frozenset()
    failure: str = ""
    stage: str = ""
    document: str = ""

    def takes(self, letter: Letter) -> bool:
        """Whether the letter is meant."""
        return (
            (not self.ids or letter.id in self.ids)
            and self.failure in ("", letter.failure)
            and self.stage in ("", letter.stage.name)
            and self.document in ("", letter.document_id)
        )


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Reads the dead letters of a pipeline."""

    reader: Reader
    """Reads the topics."""
    pipeline: Pipeline
    """Whose dead letters."""

    def resolutions(self) -> dict[str, Resolution]:
        """What was done, by letter."""
        done: dict[str, Resolution] = {}
        for record in self.reader.read([topics.resolved(self.pipeline.name)]):
            if record.key is not None and record.value is not None:
                # A note that nobody of us wrote resolves nothing: the letter stays where a person sees it.
                with suppress(ValueError):
                    done[record.key.decode("utf-8", "replace")] = Resolution.from_json(record.value)
        return done

    def unresolved(self, selection: Selection | None = None) -> Iterator[Letter]:
        """Letters that nobody has acted on, one at a time: all of them together may be larger than the memory."""
        chosen = selection or Selection()
        done = self.resolutions()
        stages = [s for s in self.pipeline.stages if chosen.stage in ("", s.name)]
        for letter in self._letters(stages):
            if letter.id not in done and chosen.takes(letter):
                yield letter

    def find(self, letter_id: str) -> Letter | None:
        """One letter, resolved or not."""
        name, _, place = letter_id.partition("/")
        number, _, offset = place.partition("/")
        stage = next((s for s in self.pipeline.stages if s.name == name), None)
        if stage is None or not number.isdecimal() or not offset.isdecimal():
            return None
        dead = self.pipeline.topics(stage).dead
        span = self.reader.spans([dead]).get((dead, int(number)))
        if span is None or not span.start <= int(offset) < span.end:
            return None
        found = self.reader.read_spans({(dead, int(number)): Span(int(offset), int(offset) + 1)})
        return next((Letter(stage, record) for record in found), None)

    def _letters(self, stages: list[Stage[Any, Any]]) -> Iterator[Letter]:
        by_topic = {self.pipeline.topics(stage).dead: stage for stage in stages}
        for record in self.reader.read(by_topic):
            yield Letter(by_topic[record.position.topic], record)
