"""Runs documents through a pipeline in memory: the same handlers, the same edges, the same decisions, no Kafka.

Nothing waits: a retry comes at once, and what would wait for a dependency ends as `waiting`.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from shared.core import topics
from shared.core.delivery import Delivery
from shared.core.errors import Misconfigured
from shared.core.event import Event, Position
from shared.core.graph import Pipeline
from shared.core.headers import Headers, history_of
from shared.core.outcome import Park
from shared.core.settle import Place, Settled, Write, settle
from shared.core.stage import Handler, Stage
from shared.runtime.paying.once import scope_of
from shared.runtime.world import HandlerContext, World
from shared.testing.alone import Ports, call, content_of, open_world

MOST_STEPS = 1000
"""Records one document may cause; a handler that emits without end is stopped here."""


@dataclass(slots=True)
class Journey:
    """What became of one document."""

    document_id: str
    """The document."""
    state: str = "waiting"
    """stored (or what the result says), in-review, dead-lettered, passed where it was stopped on purpose, waiting."""
    failure: str = ""
    """Failure class of a dead letter or a review; what it waits for."""
    message: str = ""
    """The failure in one sentence."""
    stage: str = ""
    """The last stage it was at."""
    result: Any = None
    """The last event: the result, the proposal under review, or what the last stage emitted."""
    emitted: dict[str, list[Any]] = field(default_factory=dict)
    """Stage to the events it emitted."""

    @property
    def outcome(self) -> str:
        """`ok`, or the failure class."""
        return self.failure or "ok"


@dataclass(frozen=True, slots=True)
class Step:
    """A record that a stage is to work on."""

    stage: Stage[Any, Any]
    event: Event
    headers: Headers
    offset: int


@dataclass(frozen=True, slots=True)
class Line:
    """The stages of a pipeline with their handlers, opened."""

    pipeline: Pipeline
    handlers: Mapping[str, Handler]
    worlds: Mapping[str, World]

    async def run(self, submission: Event, until: str = "") -> Journey:
        """One document, from the first stage to its end, or until the named stage has emitted."""
        journey = Journey(submission.document_id)
        waiting = [Step(self.pipeline.first, submission, (), 0)]
        for _ in range(MOST_STEPS):
            if not waiting:
                return journey
            step = waiting.pop(0)
            journey.stage = step.stage.name
            for write in (await self._settled(step, journey)).writes:
                waiting += self._follow(write, step, journey, until)
        raise Misconfigured(
            f"document {journey.document_id}: more than {MOST_STEPS} records came of it; look at {step}"
        )

    async def _settled(self, step: Step, journey: Journey) -> Settled:
        delivery = delivered(self.pipeline, step)
        handler, now = self.handlers[step.stage.name], datetime.now(UTC)
        place = Place(self.pipeline, step.stage)
        scope = scope_of(place, delivery, step.event)
        context = HandlerContext(now, delivery.attempt, self.worlds[step.stage.name], scope, content_of(step.event))
        outcome = await call(handler, step.event, context)
        if isinstance(outcome, Park):
            journey.failure, journey.message = outcome.dependency, outcome.message
        return settle(place, delivery, step.event, outcome, now)

    def _follow(self, write: Write, step: Step, journey: Journey, until: str) -> list[Step]:
        """What a write leads to: another step, or an end."""
        event = step.event if isinstance(write.value, bytes | None) else write.value
        inputs = {self.pipeline.topics(stage).input: stage for stage in self.pipeline.stages}
        if write.topic in self.pipeline.topics(step.stage).retries:
            return [replace(step, headers=write.headers, offset=step.offset + 1)]
        if event is not step.event and write.topic != topics.review(self.pipeline.name):
            journey.result = event
            journey.emitted.setdefault(step.stage.name, []).append(event)
            if step.stage.name == until:
                journey.state = "passed"
                return []
        if write.topic in inputs:
            following = inputs[write.topic]
            if following.name in self.handlers:
                return [Step(following, event, write.headers, 0)]
            journey.state, journey.message = "passed", f"goes on to {following.name}, which does not run here"
            return []
        self._end(write, event, journey)
        return []

    def _end(self, write: Write, event: Any, journey: Journey) -> None:
        if write.topic == topics.results(self.pipeline.name):
            journey.state = getattr(event, "state", "stored")
            return
        history = history_of(write.headers)
        journey.failure = history.failure.value if history else ""
        journey.message = history.message if history else ""
        if write.topic == topics.review(self.pipeline.name):
            journey.state, journey.result = "in-review", event
        else:
            journey.state = "dead-lettered"


def delivered(pipeline: Pipeline, step: Step) -> Delivery:
    """The record as Kafka would have delivered it; its bytes are beside the point, for the event is at hand."""
    position = Position(pipeline.topics(step.stage).input, 0, step.offset)
    return Delivery(position, step.event.document_id.encode(), b"", step.headers, datetime.now(UTC))


@asynccontextmanager
async def stations(
    pipeline: Pipeline, handlers: Iterable[Handler], ports: Mapping[str, Ports] | Ports | None = None
) -> AsyncIterator[Line]:
    """Open the handlers for the length of a block; `ports` for all stages, or by stage."""
    by_stage = {handler.stage.name: handler for handler in handlers}
    common = ports if isinstance(ports, Ports) else Ports()
    given = ports if isinstance(ports, Mapping) else {}
    async with AsyncExitStack() as stack:
        worlds = {name: await open_world(stack, handler, given.get(name, common)) for name, handler in by_stage.items()}
        yield Line(pipeline, by_stage, worlds)
