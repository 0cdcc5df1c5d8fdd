"""The review desk: a request on its way to a person, and a decision on its way back. Pure; others do the I/O.

<pipeline>.review ──► requested() ──► the table of reviews ──► a person ──► decided() ──► where it goes on
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.events import DocumentResult
from shared.core import headers, topics
from shared.core.cancellation import CANCEL, CANCELLED
from shared.core.delivery import Delivery
from shared.core.errors import Failed, Misconfigured
from shared.core.event import Event
from shared.core.failures import Failure
from shared.core.graph import RESULTS, Pipeline
from shared.core.results import ResultRow
from shared.core.settle import Write, identified, targets
from shared.core.stage import Stage
from shared.pipelines.document_results import Document, result_of, row_of
from shared.pipelines.ended import ended
from shared.ports import Codec, ReviewItem

APPROVE, REJECT = "approve", "reject"
"""What a person can decide."""

DESK = "review"
"""The desk's own name in derived event ids."""


@dataclass(frozen=True, slots=True)
class Decided:
    """Everything a decision causes. Rows first, writes second: whatever repeats after a crash finds its own row."""

    rows: tuple[ResultRow, ...] = ()
    """For the table of results."""
    writes: tuple[Write, ...] = ()
    """For Kafka, in one transaction with the decision's sequence as offset."""
    note: str = ""
    """For the log, where a decision leaves no trace in either."""


def requested(pipeline: Pipeline, delivery: Delivery) -> ReviewItem:
    """The request a record of the review topic makes. Raises Failed(invalid_event) where it makes none."""
    said = {name: text(value) for name, value in delivery.headers}
    stage = said.get(headers.STAGE, "")
    if not delivery.key or not delivery.value or not stage:
        raise Failed(
            Failure.INVALID_EVENT,
            f"{delivery.position} asks for no review: it needs a key, a value and the header {headers.STAGE}",
        )
    return ReviewItem(
        review_id=str(delivery.position),
        document_id=text(delivery.key),
        pipeline=pipeline.name,
        stage=stage,
        failure=said.get(headers.FAILURE, ""),
        reason=said.get(headers.MESSAGE, ""),
        proposal=delivery.value,
        requested_at=delivery.appended_at,
    )


def decided(pipeline: Pipeline, codec: Codec, item: ReviewItem) -> Decided:
    """What a decision causes: approval sends the proposal on, rejection ends the document, and so does an operator.

    Raises what decoding the proposal raises, Misconfigured where the pipeline has changed and knows the stage no more,
    and Failed(internal) for an approval that no edge takes.
    """
    stage = pipeline.stage(item.stage)
    proposal = codec.decode(item.proposal, stage.gives)
    if item.decision == APPROVE:
        return approved(pipeline, stage, item, proposal)
    return (cancelled if item.decision == CANCEL else rejected)(pipeline, item, proposal)


def approved(pipeline: Pipeline, stage: Stage[Any, Any], item: ReviewItem, proposal: Event) -> Decided:
    """The proposal takes every edge that it would have taken without the gate, its bytes untouched."""
    goals = targets(pipeline, stage, proposal)
    if not goals:
        raise Failed(
            Failure.INTERNAL,
            f"review {item.review_id}: no edge from {stage.name} takes this {type(proposal).__name__}: add one",
        )
    return Decided(writes=tuple(Write(goal, proposal.document_id.encode(), item.proposal) for goal in goals))


def rejected(pipeline: Pipeline, item: ReviewItem, proposal: Event) -> Decided:
    """The document ends as `rejected`, where the pipeline's ends are told as `DocumentResult`; else only the log knows.

    The reviewer's note is the reason; without one, who decided.
    """
    ends = {kind for step in pipeline.flow if step.target is RESULTS for kind in step.source.gives}
    if DocumentResult not in ends or not isinstance(proposal, Document):
        unheard = f"{pipeline.name} has no event that tells a rejection"
        return Decided(note=f"{item.document_id} rejected by {item.decided_by}: {unheard}")
    result = result_of(proposal, "rejected", when(item), item.note or f"rejected by {item.decided_by}")
    told = identified(result, proposal.event_id, DESK, 0)
    write = Write(topics.results(pipeline.name), proposal.document_id.encode(), told)
    return Decided(rows=(row_of(proposal, result),), writes=(write,))


def cancelled(pipeline: Pipeline, item: ReviewItem, proposal: Event) -> Decided:
    """The document ends as `cancelled`, on the results topic alone: a row could take an earlier version's place."""
    result = ended(proposal, item.document_id, CANCELLED, item.note, when(item))
    told = identified(result, getattr(proposal, "event_id", "") or item.review_id, DESK, 0)
    return Decided(writes=(Write(topics.results(pipeline.name), item.document_id.encode(), told),))


def when(item: ReviewItem) -> datetime:
    """When it was decided."""
    if item.decided_at is None:
        raise Misconfigured(f"review {item.review_id} is not decided: read decisions with Reviews.decided_after")
    return item.decided_at


def text(value: bytes) -> str:
    """Bytes of a sender as text that can be shown and stored, whatever they are."""
    return value.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
