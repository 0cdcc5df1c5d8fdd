"""Layers of a stage whose traces a test reads, and handlers that ask and end as told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from shared.codec.avro import AvroCodec
from shared.core.context import Call, Context
from shared.core.delivery import Delivery
from shared.core.outcome import Outcome
from shared.core.settle import Place
from shared.core.stage import Handler
from shared.core.trace import document_trace
from shared.observe.tracing.calls import Asked
from shared.observe.tracing.spans import Span
from shared.observe.tracing.traces import Traces
from shared.runtime.flow.layers import Layers
from shared.runtime.flow.share import Taken
from tests.pipeline.tiny.events import TicketClosed, TicketOpened, TicketTriaged
from tests.pipeline.tiny.pipeline import TICKETS, TRIAGE
from tests.unit.records import NOW, delivery, owning, ticket

CODEC = AvroCodec((TicketOpened, TicketTriaged, TicketClosed))
TRIAGED = TicketTriaged(document_id="t1", subject="printer", urgent=False)
FIRST = document_trace("tickets", ticket())
CALL = Call("extraction", "gemini", "sim-large", "extract-fields@3", 120, 30, 0.0125, 40, "ok")
SECRET = "the printer of Ms Tern"


@dataclass
class World:
    """Layers of a stage, and the spans they gave."""

    spans: list[Span] = field(default_factory=list)
    sample: float = 1.0
    content: bool = False
    off: bool = False
    full: bool = False
    dropped: int = 0

    @property
    def traces(self) -> Traces:
        return Traces(None if self.off else self, sample=self.sample, content=self.content)

    def give(self, span: Span) -> None:
        self.spans.append(span)

    def drop(self, records: int) -> None:
        self.dropped += records

    def run(self, handler: Handler, record: Delivery | None = None) -> None:
        """One record through a slow handler."""
        asyncio.run(self.layers(handler).slow(taken(record)))

    def layers(self, handler: Handler, observe: Callable[..., None] = lambda *_, **__: None) -> Layers:
        return Layers(Place(TICKETS, handler.stage), handler, CODEC, context, clock(), observe, traces=self.traces)

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]


def clock() -> Callable[[], datetime]:
    """Each look is a second later."""
    seconds = iter(range(1, 1000))
    return lambda: NOW + timedelta(seconds=next(seconds))


def context(_: Delivery, __: Any, ___: datetime) -> Context:
    return cast(Context, None)


def taken(record: Delivery | None = None) -> Taken:
    [one] = owning(0).take([delivery()])
    return replace(one, delivery=record or delivery(value=CODEC.encode(ticket())))


def giving(outcome: Outcome[TicketTriaged], *asked: Asked, traces: Traces | None = None) -> Handler:
    @TRIAGE
    async def handler(_: TicketOpened, __: Context) -> Outcome[TicketTriaged]:
        for one in asked:
            assert traces is not None
            traces.asked(one)
        return outcome

    return handler
