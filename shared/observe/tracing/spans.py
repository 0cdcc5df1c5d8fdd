"""Facts to spans: what one decision, or one review, adds to a document's trace. Pure.

    document                 the record as it came in; of a replay, as it came back, with a link to the trace before
    ├── <stage>              an operation: from the record's arrival at the stage until it is done there
    │   ├── <stage> attempt  one call of the handler
    │   │   └── chat <model>
    │   └── <stage> attempt
    └── review               from the request to the decision

Roots and operations have derived ids: attempts refer to them before they are sent, from whatever process. A repeat
after a crash sends them again, with the same ids. Attempts have ids of their own: a repeat is another attempt.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.core import topics
from shared.core.delivery import Delivery
from shared.core.outcome import Cancelled, DeadLetter, Emit, Outcome, Park, Retry, Review
from shared.core.settle import Place, Settled
from shared.core.trace import SpanName, Trace, sender_of
from shared.observe.tracing import names
from shared.pipelines.ended import document_type
from shared.ports import ReviewItem

Attributes = dict[str, Any]


class Kind(StrEnum):
    """What a span is to others."""

    INTERNAL = "INTERNAL"
    CLIENT = "CLIENT"
    PRODUCER = "PRODUCER"
    CONSUMER = "CONSUMER"


@dataclass(frozen=True, slots=True)
class Span:
    """One finished span."""

    name: str
    """What it is called."""
    trace: int
    """Trace id."""
    id: int
    """Span id."""
    parent: int
    """Span id of its parent; 0 where it has none."""
    start: int
    """Nanoseconds since 1970, UTC."""
    end: int
    """Nanoseconds since 1970, UTC."""
    attributes: Attributes
    """By name."""
    kind: Kind = Kind.INTERNAL
    """What it is to others."""
    error: str = ""
    """Failure class; empty where all is well."""
    links: tuple[SpanName, ...] = ()
    """Spans of other traces that it has to do with."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of a handler, as spans that belong to it see it."""

    trace: Trace
    """Trace of its document."""
    id: int
    """Span id."""
    about: Attributes
    """What all spans of the trace say."""
    calls: list[int] = field(default_factory=list)
    """Span ids of the model calls it made."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the layers know when a record was decided."""

    delivery: Delivery
    """The record."""
    event: Any
    """What it says; None where it could not be decoded."""
    outcome: Outcome[Any]
    """How it ended, the pipeline's remedies applied."""
    settled: Settled
    """What is written of it."""
    started: datetime
    """When the handler was called, UTC."""
    ended: datetime
    """When it was decided, UTC."""


def about(place: Place, document: str, event: Any) -> Attributes:
    """What all spans of a document's trace say, and what LangFuse shows of the trace itself."""
    batch = str(getattr(event, "batch_id", ""))
    tenant = "" if event is None else _tenant(place, event)
    said = {
        names.PIPELINE: place.pipeline.name,
        names.STAGE: place.stage.name,
        names.DOCUMENT: document,
        names.VERSION: getattr(event, "version", None),
        names.DOCUMENT_TYPE: document_type(event),
        names.BATCH: batch,
        names.TENANT: tenant,
        names.USER: tenant,
        names.SESSION: batch or document,
        names.TRACE_NAME: place.pipeline.name,
        names.TRACE_DOCUMENT: document,
    }
    return {name: value for name, value in said.items() if value not in (None, "")}


def _tenant(place: Place, event: Any) -> str:
    try:
        return str(place.pipeline.tenant(event))
    except Exception:  # noqa: BLE001  it is the pipeline's own code, and a trace must not end the service
        return ""


def spans_of(place: Place, attempt: Attempt, decision: Decision, *, content: bool = False) -> Iterator[Span]:
    """The spans that are finished with a decision; `content`: whether sentences about failures may be told."""
    outcome, settled = decision.outcome, decision.settled
    if isinstance(outcome, Park) and not attempt.calls:
        return  # an outage lets thousands of records look again every few seconds
    told = _told(outcome, content=content) | {names.ATTEMPT: decision.delivery.attempt}
    yield _attempt(place, attempt, decision, told)
    if settled.hold is not None:
        return
    if decision.delivery.attempt == 1 and (_comes_in(place, decision) or decision.event is None):
        yield _root(place, attempt, decision)
    if not settled.comes_back:
        yield _operation(place, attempt, decision, told)


def _comes_in(place: Place, decision: Decision) -> bool:
    return place.stage is place.pipeline.first or decision.delivery.reentry is not None


def _attempt(place: Place, attempt: Attempt, decision: Decision, told: Attributes) -> Span:
    return Span(
        name=f"{place.stage.name} attempt",
        trace=attempt.trace.id,
        id=attempt.id,
        parent=_operation_id(place, attempt.trace, decision.delivery),
        start=nanoseconds(decision.started),
        end=nanoseconds(decision.ended),
        attributes=attempt.about | told | {names.KIND: "span"},
        error=failure_of(decision.outcome),
    )


def _operation(place: Place, attempt: Attempt, decision: Decision, told: Attributes) -> Span:
    delivery = decision.delivery
    extra = {
        names.KIND: "span",
        names.MESSAGING_OPERATION: "process",
        names.MESSAGING_GROUP: topics.group(place.pipeline.name, place.stage.name),
        names.EVENT: getattr(decision.event, "event_id", ""),
        names.WRITTEN: tuple(write.topic for write in decision.settled.writes),
    }
    return Span(
        name=place.stage.name,
        trace=attempt.trace.id,
        id=_operation_id(place, attempt.trace, delivery),
        parent=attempt.trace.root,
        start=nanoseconds(delivery.arrived_at),
        end=nanoseconds(decision.ended),
        attributes=attempt.about | told | _where(delivery) | extra,
        kind=Kind.CONSUMER,
        error="" if isinstance(decision.outcome, Emit | Review) else failure_of(decision.outcome),
    )


def _root(place: Place, attempt: Attempt, decision: Decision) -> Span:
    """A moment: a document has no end that a trace could wait for, a dead letter may come back after weeks."""
    delivery, trace = decision.delivery, attempt.trace
    at = nanoseconds(delivery.arrived_at)
    extra: dict[str, Any] = {names.KIND: "span", names.MESSAGING_OPERATION: "create"}
    linked = sender_of(delivery)
    if reentry := delivery.reentry:
        extra |= {names.REPLAYED: str(reentry.letter), names.RECEIPT: reentry.receipt}
        # The sender's headers came back too, but what it began led to the trace before.
        linked = (trace.before, Trace(trace.before).root) if trace.before else None
    return Span(
        name=f"{place.pipeline.name} {'replay' if delivery.reentry else 'document'}",
        trace=trace.id,
        id=trace.root,
        parent=0,
        start=at,
        end=at,
        attributes=attempt.about | _where(delivery) | extra,
        kind=Kind.PRODUCER,
        links=(linked,) if linked else (),
    )


def review_span(trace: Trace, item: ReviewItem, said: Attributes) -> Span:
    """A person's decision: from the request on. Who decided is in the table of reviews."""
    extra = {names.KIND: "span", names.REVIEW: item.review_id, names.DECISION: item.decision, names.STAGE: item.stage}
    return Span(
        name="review",
        trace=trace.id,
        id=trace.span("review", item.review_id),
        parent=trace.root,
        start=nanoseconds(item.requested_at),
        end=nanoseconds(item.decided_at or item.requested_at),
        attributes=said | extra | ({names.ERROR_TYPE: item.failure} if item.failure else {}),
        kind=Kind.CONSUMER,
    )


def document_of(delivery: Delivery, event: Any) -> str:
    """The document; where it could not be decoded, the key that came with it."""
    return event.document_id if event is not None else (delivery.key or b"").decode("utf-8", "backslashreplace")


def failure_of(outcome: Outcome[Any]) -> str:
    """The failure class of an outcome; empty where nothing failed."""
    match outcome:
        case Retry(failure) | DeadLetter(failure):
            return failure.value
        case _:
            return ""


def sendable(text: str) -> str:
    """The text without what no encoding takes: half a character can stand in what a model or an error says."""
    return text.encode("utf-8", "replace").decode()


def nanoseconds(moment: datetime) -> int:
    """As OpenTelemetry counts time."""
    return max(round(moment.timestamp() * 1_000_000) * 1000, 0)


def _told(outcome: Outcome[Any], *, content: bool) -> Attributes:
    """How it ended."""
    said: dict[str, Any] = {}
    match outcome:
        case Emit():
            said = {names.OUTCOME: "emit"}
        case Retry(failure, message):
            said = {names.OUTCOME: "retry", names.MESSAGE: message, **_failed(failure.value, "WARNING")}
        case DeadLetter(failure, message):
            said = {names.OUTCOME: "dead_letter", names.MESSAGE: message, **_failed(failure.value, "ERROR")}
        case Review(reason, failure=failure):
            said = {names.OUTCOME: "review", names.MESSAGE: reason, names.ERROR_TYPE: failure.value if failure else ""}
        case Park(dependency, message):
            said = {names.OUTCOME: "park", names.MESSAGE: message, names.STATUS: f"waits for {dependency}"}
        case Cancelled():
            said = {names.OUTCOME: "cancelled"}
    if not content:
        said.pop(names.MESSAGE, None)
    elif names.MESSAGE in said:
        said[names.MESSAGE] = sendable(said[names.MESSAGE])
    return {name: value for name, value in said.items() if value}


def _failed(failure: str, level: str) -> Attributes:
    return {names.ERROR_TYPE: failure, names.LEVEL: level, names.STATUS: failure}


def _operation_id(place: Place, trace: Trace, delivery: Delivery) -> int:
    return trace.span(place.stage.name, str(delivery.origin))


def _where(delivery: Delivery) -> Attributes:
    """The record's place."""
    return {
        names.MESSAGING_SYSTEM: "kafka",
        names.MESSAGING_TOPIC: delivery.origin.topic,
        names.MESSAGING_PARTITION: str(delivery.origin.partition),
        names.MESSAGING_OFFSET: delivery.origin.offset,
    }
