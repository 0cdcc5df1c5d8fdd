"""What the runtime tells of a service's work, and what becomes of it: spans for the outbox, ids for the log.

with traces.within(place, delivery, event):   an async handler runs; model calls inside find what they belong to
traces.decided(place, Decision(…))            a record was decided
traces.asked(Asked(…))                        a request to a model ended
traces.reviewed(place, event, item)           a person decided
"""

import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from shared.core.delivery import Delivery
from shared.core.settle import Place
from shared.core.trace import Trace, document_trace, trace_of
from shared.observe.logs import about as saying
from shared.observe.tracing.calls import Asked, call_span
from shared.observe.tracing.spans import Attempt, Decision, Span, about, document_of, review_span, spans_of
from shared.ports import ReviewItem

CURRENT: ContextVar[Attempt | None] = ContextVar("penstock_attempt", default=None)
"""The attempt whose handler runs, also in what it awaits; None where nobody wants to know."""


class Outlet(Protocol):
    """Takes spans, or drops them; never waits."""

    @property
    def full(self) -> bool:
        """There is no room: what is not even made costs nothing."""
        ...

    def give(self, span: Span) -> None:
        """Take a span, or drop it."""
        ...

    def drop(self, records: int) -> None:
        """Count what was not made: a record or a call as one, whatever spans it would have had."""
        ...


class Traces:
    """The traces of one service; without an outlet only the log is told ids."""

    def __init__(self, outlet: Outlet | None = None, *, sample: float = 1.0, content: bool = False) -> None:
        """`sample`: part of all documents that is traced, whole, by every process alike. `content`: texts too."""
        self.on = outlet is not None
        """Whether anybody wants spans."""
        self.content = content
        """Whether texts of documents, prompts and answers may be told."""
        self._outlet = outlet
        self._below = round(sample * 2**64)

    def named(self, pipeline: str, delivery: Delivery, event: Any) -> AbstractContextManager[None]:
        """Every line that is logged inside names the document and its trace."""
        trace = trace_of(pipeline, delivery, event)
        return saying(document_id=document_of(delivery, event), trace_id=trace.text)

    @contextmanager
    def within(self, place: Place, delivery: Delivery, event: Any) -> Iterator[None]:
        """The handler runs inside. The log names the record, and model calls belong to it."""
        token = CURRENT.set(self._attempt(place, delivery, event) if self.on else None)
        try:
            with self.named(place.pipeline.name, delivery, event):
                yield
        finally:
            CURRENT.reset(token)

    def decided(self, place: Place, decision: Decision) -> None:
        """A record was decided."""
        outlet = self._outlet
        if outlet is None:
            return
        if outlet.full:
            outlet.drop(1)
            return
        attempt = CURRENT.get() or self._attempt(place, decision.delivery, decision.event)
        if attempt is not None:
            for span in spans_of(place, attempt, decision, content=self.content):
                outlet.give(span)

    def asked(self, asked: Asked) -> None:
        """A request to a model ended."""
        attempt = CURRENT.get()
        if self._outlet is None or attempt is None:
            return
        number = _number()
        attempt.calls.append(number)
        self._outlet.give(call_span(asked, attempt.trace.id, number, attempt.id, attempt.about))

    def reviewed(self, place: Place, event: Any, item: ReviewItem) -> None:
        """A person decided about what the stage proposed."""
        trace = document_trace(place.pipeline.name, event)
        if self._outlet is not None and self._wanted(trace):
            self._outlet.give(review_span(trace, item, about(place, event.document_id, event)))

    def _attempt(self, place: Place, delivery: Delivery, event: Any) -> Attempt | None:
        trace = trace_of(place.pipeline.name, delivery, event)
        if not self._wanted(trace):
            return None
        return Attempt(trace, _number(), about(place, document_of(delivery, event), event))

    def _wanted(self, trace: Trace) -> bool:
        return trace.id & (2**64 - 1) < self._below


def _number() -> int:
    """A span id that nothing else needs to find."""
    return random.getrandbits(64) or 1
