"""The dead letters of a pipeline, and what was done about them.

A dead letter is known by `stage/partition/offset`, its place in `<pipeline>.<stage>.dlq`. It is unresolved until
`<pipeline>.dlq.resolved` has a record under that key; acting on letters stands in `shared.kafka.resolving`.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.core import topics
from shared.core.cancellation import CANCELLED
from shared.core.causes import fingerprint_of
from shared.core.delivery import Delivery
from shared.core.errors import Failed
from shared.core.event import Position
from shared.core.graph import Pipeline
from shared.core.stage import Stage
from shared.core.timeline import DISCARDED
from shared.kafka.reading import Reader
from shared.ports import Codec

REPLAYED, EXPIRED = "replayed", "expired"
"""What can be done about a letter, besides that it is discarded or its document cancelled; expired is one that had been
chosen and was no longer there."""
ENDS = frozenset((DISCARDED, CANCELLED))
"""What ends the letter's document."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What was done about a dead letter: the value in `<pipeline>.dlq.resolved`."""

    action: str
    """`replayed`, `discarded`, `cancelled` or `expired`."""
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
    def attempts(self) -> int:
        """Tries that failed; 0 where somebody else wrote the record."""
        return self.delivery.history.attempts if self.delivery.history else 0

    @property
    def replays(self) -> int:
        """How often it has been replayed at this stage and failed again."""
        return self.delivery.reentry.number if self.delivery.reentry else 0

    @property
    def cause(self) -> str:
        """Fingerprint of its cause."""
        return fingerprint_of(self.failure, self.stage.name, self.message)

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


class Chooses(Protocol):
    """Says which letters are meant; `shared.kafka.selection` has it."""

    @property
    def stage(self) -> str:
        """The one stage that is meant; empty: any."""
        ...

    def takes(self, letter: Letter, codec: Codec) -> bool:
        """Whether the letter is meant."""
        ...


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Reads the dead letters of a pipeline."""

    reader: Reader
    """Reads the topics."""
    pipeline: Pipeline
    """Whose dead letters."""
    codec: Codec
    """Reads the events in them."""

    def resolutions(self) -> dict[str, Resolution]:
        """What was done, by letter."""
        done: dict[str, Resolution] = {}
        for record in self.reader.read([topics.resolved(self.pipeline.name)]):
            if record.key is not None and record.value is not None:
                # A note that nobody of us wrote resolves nothing: the letter stays where a person sees it.
                with suppress(ValueError):
                    done[record.key.decode("utf-8", "replace")] = Resolution.from_json(record.value)
        return done

    def unresolved(self, chosen: Chooses) -> Iterator[Letter]:
        """Letters that nobody has acted on, one at a time: all of them together may be larger than the memory."""
        return (letter for letter, note in self.chosen(chosen, self.resolutions()) if note is None)

    def chosen(self, chosen: Chooses, done: Mapping[str, Resolution]) -> Iterator[tuple[Letter, Resolution | None]]:
        """Letters that are meant, each with what was done about it."""
        stages = [stage for stage in self.pipeline.stages if chosen.stage in ("", stage.name)]
        for letter in self._letters(stages):
            if chosen.takes(letter, self.codec):
                yield letter, done.get(letter.id)

    def fetch(self, ids: Collection[str]) -> dict[str, Letter]:
        """The letters of these ids that are still there, in one reading."""
        by_topic = {self.pipeline.topics(stage).dead: stage for stage in self.pipeline.stages}
        wanted = {self.position(one): one for one in ids}
        found: dict[str, Letter] = {}
        for record in self.reader.read_places([place for place in wanted if place is not None]):
            found[wanted[record.position]] = Letter(by_topic[record.position.topic], record)
        return found

    def position(self, letter_id: str) -> Position | None:
        """Where the letter of that id stands, or would stand; None where it is no id."""
        name, _, place = letter_id.partition("/")
        number, _, offset = place.partition("/")
        stage = next((s for s in self.pipeline.stages if s.name == name), None)
        if stage is None or not all(part.isdecimal() and len(part) < 19 for part in (number, offset)):
            return None
        return Position(self.pipeline.topics(stage).dead, int(number), int(offset))

    def find(self, letter_id: str) -> Letter | None:
        """One letter, resolved or not."""
        place = self.position(letter_id)
        if place is None:
            return None
        span = self.reader.spans([place.topic]).get((place.topic, place.partition))
        if span is None or not span.start <= place.offset < span.end:
            return None
        return self.fetch([letter_id]).get(letter_id)

    def _letters(self, stages: list[Stage[Any, Any]]) -> Iterator[Letter]:
        by_topic = {self.pipeline.topics(stage).dead: stage for stage in stages}
        for record in self.reader.read(by_topic):
            yield Letter(by_topic[record.position.topic], record)
