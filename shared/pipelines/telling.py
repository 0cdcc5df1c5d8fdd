"""Which topics tell how documents ended, and what each of their records tells."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.core import topics
from shared.core.atlas.ended import Ended
from shared.core.delivery import Delivery
from shared.core.errors import Failed
from shared.core.graph import Pipeline
from shared.core.headers import history_of
from shared.core.stage import Stage
from shared.pipelines import ends
from shared.ports import Codec


@dataclass(frozen=True)
class Telling:
    """What the records of one pipeline tell."""

    pipeline: Pipeline
    """Whose records."""
    codec: Codec
    """Reads the events in them."""

    @cached_property
    def topics(self) -> tuple[str, ...]:
        """Those on which documents end, or get through to the next stage."""
        stages, name = self.pipeline.stages, self.pipeline.name
        passed = [self.pipeline.topics(stage).input for stage in stages if stage != self.pipeline.first]
        return (*passed, topics.results(name), topics.review(name), *self._dead)

    @cached_property
    def retries(self) -> tuple[str, ...]:
        """Those on which failed attempts wait for the next one: no end, and yet worth counting."""
        return tuple(self._retried)

    def passing(self, stage: str) -> tuple[str, ...]:
        """The topics that tell of those that got through a stage."""
        return tuple(self.pipeline.leads_to(step) for step in self.pipeline.flow if step.source.name == stage)

    def told(self, record: Delivery) -> Ended | None:
        """What one record tells; None where it tells of nothing."""
        topic, history = record.position.topic, history_of(record.headers)
        taker = self._dead.get(topic) or self._retried.get(topic)
        if taker is not None:
            return ends.failed(taker, self._decoded(record, taker.takes), record, history) if history else None
        event = self._decoded(record, self._given)
        if event is None:
            return None
        if topic == topics.review(self.pipeline.name):
            return ends.doubted(self.pipeline, event, record, history) if history else None
        stage = ends.got_through(self.pipeline, topic, event)
        return None if stage is None else ends.through(stage, event, record)

    @cached_property
    def _dead(self) -> dict[str, Stage[Any, Any]]:
        return {self.pipeline.topics(stage).dead: stage for stage in self.pipeline.stages}

    @cached_property
    def _retried(self) -> dict[str, Stage[Any, Any]]:
        return {name: stage for stage in self.pipeline.stages for name in self.pipeline.topics(stage).retries}

    @cached_property
    def _given(self) -> tuple[type[Any], ...]:
        return self.pipeline.given

    def _decoded(self, record: Delivery, kinds: tuple[type[Any], ...]) -> Any | None:
        """The event; None where there is none that can be read."""
        try:
            return None if record.value is None else self.codec.decode(record.value, kinds)
        except Failed:
            return None
