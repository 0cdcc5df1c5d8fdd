"""How a document ended by an operator's word, told of whatever event it was last met in.

A pipeline of a team's own may know nothing of types, batches or submissions: what an event does not say is empty.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from schemas.events import DocumentResult
from shared.core.cancellation import batch_of, submitted_of, version_of
from shared.core.event import Event, Position, derived_id
from shared.core.graph import Pipeline, Sink


def result_types(pipeline: Pipeline) -> tuple[type[Event], ...]:
    """Event types that stand on the results topic: the pipeline's own, and the end that an operator's word tells."""
    given = (kind for step in pipeline.flow if isinstance(step.target, Sink) for kind in step.source.gives)
    return tuple(dict.fromkeys((*given, DocumentResult)))


def ended(event: Any, document_id: str, state: str, reason: str, at: datetime) -> DocumentResult:
    """The last event about a document; `event` may be anything, also what is no event."""
    submission = getattr(event, "submission", event)
    metadata = getattr(submission, "metadata", {})
    classification = getattr(event, "classification", None)
    calls = getattr(getattr(event, "analysis", None), "calls", ())
    return DocumentResult(
        document_id=document_id,
        tenant=str(getattr(event, "tenant", "default")),
        version=version_of(event),
        batch_id=batch_of(event),
        state=state,
        document_type=document_type(event),
        track=str(getattr(classification, "track", "")),
        confidence=float(getattr(classification, "confidence", 0.0)),
        fields={},
        summary="",
        answers={},
        models=(),
        # What was paid stays paid.
        cost_usd=float(sum(getattr(call, "cost_usd", 0.0) for call in calls)),
        reason=reason,
        metadata=metadata if isinstance(metadata, Mapping) else {},
        submitted_at=submitted_of(event) if hasattr(submission, "submitted_at") else at,
        finished_at=at,
    )


def letter_ended(
    place: Position, event: Any, document_id: str, state: str, reason: str, at: datetime
) -> DocumentResult:
    """The same of the event in a dead letter, under an id that follows from the letter's place."""
    return replace(ended(event, document_id, state, reason, at), event_id=derived_id(str(place), state, 0))


def document_type(event: Any) -> str:
    """The type that classify found; empty before it, and where the event cannot be read."""
    return str(getattr(getattr(event, "classification", event), "document_type", ""))
