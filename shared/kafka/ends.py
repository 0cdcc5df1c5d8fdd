"""How documents ended at each stage, read from the pipeline's own topics: nothing has to have been kept beside them."""

from dataclasses import dataclass
from typing import Any

from shared.core import topics
from shared.core.atlas.ended import Ended
from shared.core.delivery import Delivery
from shared.core.errors import Failed
from shared.core.graph import Pipeline
from shared.core.headers import history_of
from shared.kafka.reading import Reader, Span
from shared.pipelines import ends
from shared.ports import Codec


@dataclass(frozen=True, slots=True)
class Ends:
    """Reads them."""

    reader: Reader
    """Reads the topics."""
    pipeline: Pipeline
    """Whose topics."""
    codec: Codec
    """Reads the events."""

    def last(self, records: int) -> list[Ended]:
        """The last word on each document at each stage, of about so many of the newest records of each topic."""
        found: dict[tuple[str, str], Ended] = {}
        spans = self.reader.spans(self.topics)
        share = max(records * len(self.topics) // max(len(spans), 1), 1)
        newest = {place: Span(max(span.start, span.end - share), span.end) for place, span in spans.items()}
        for record in self.reader.read_spans(newest):
            ended = self.ended(record)
            if ended is not None:
                before = found.get((ended.stage, ended.document_id))
                if before is None or before.at <= ended.at:
                    found[ended.stage, ended.document_id] = ended
        return list(found.values())

    @property
    def topics(self) -> list[str]:
        """Every topic whose records tell how something ended."""
        own = [self.pipeline.topics(stage) for stage in self.pipeline.stages]
        passed = [
            one.input for stage, one in zip(self.pipeline.stages, own, strict=True) if stage != self.pipeline.first
        ]
        return [
            *passed,
            topics.results(self.pipeline.name),
            topics.review(self.pipeline.name),
            *(one.dead for one in own),
        ]

    def ended(self, record: Delivery) -> Ended | None:
        """What one record tells; None where it tells of no end."""
        topic = record.position.topic
        history = history_of(record.headers)
        dead = next((s for s in self.pipeline.stages if self.pipeline.topics(s).dead == topic), None)
        if dead is not None:
            return ends.failed(dead, self._decoded(record, dead.takes), record, history) if history else None
        event = self._decoded(record, self._kinds)
        if event is None:
            return None
        if topic == topics.review(self.pipeline.name):
            return ends.doubted(self.pipeline, event, record, history) if history else None
        stage = ends.got_through(self.pipeline, topic, event)
        return None if stage is None else ends.through(stage, event, record)

    @property
    def _kinds(self) -> tuple[type[Any], ...]:
        return tuple(dict.fromkeys(kind for stage in self.pipeline.stages for kind in stage.gives))

    def _decoded(self, record: Delivery, kinds: tuple[type[Any], ...]) -> Any | None:
        try:
            return None if record.value is None else self.codec.decode(record.value, kinds)
        except Failed:
            return None
