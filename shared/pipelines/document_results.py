"""How a document of the shipped pipeline ended: as the event that tells it, and as the row that keeps it.

Both the store stage and a rejection by a person end a document, and must tell it in the same words.
"""

from datetime import datetime

from schemas.events import (
    Analysis,
    DocumentAnalyzed,
    DocumentClassified,
    DocumentResult,
    DocumentValidated,
    TextExtracted,
)
from shared.core.context import REUSED
from shared.core.results import ResultRow

Document = TextExtracted | DocumentClassified | DocumentAnalyzed | DocumentValidated
"""A document on its way, at any stage that knows its text."""


def result_of(document: Document, state: str, at: datetime, reason: str = "") -> DocumentResult:
    """The last event about a document; what no stage has found out is empty."""
    classification = None if isinstance(document, TextExtracted) else document.classification
    analysis = document.analysis if isinstance(document, DocumentAnalyzed | DocumentValidated) else None
    calls = analysis.calls if analysis else ()
    return DocumentResult(
        document_id=document.document_id,
        tenant=document.tenant,
        version=document.version,
        batch_id=document.batch_id,
        state=state,
        document_type=classification.document_type if classification else "",
        track=classification.track if classification else "",
        confidence=classification.confidence if classification else 0.0,
        fields=analysis.fields if analysis else {},
        summary=analysis.summary if analysis else "",
        answers=analysis.answers if analysis else {},
        quality=document.validation.quality if isinstance(document, DocumentValidated) else None,
        models=models_of(analysis) if analysis else (),
        cost_usd=sum(call.cost_usd for call in calls),
        reason=reason or gaps_of(analysis),
        metadata=document.submission.metadata,
        submitted_at=document.submission.submitted_at,
        finished_at=at,
    )


def models_of(analysis: Analysis) -> tuple[str, ...]:
    """Models whose answers stand in the analysis; of an older one, which tells no choice, all that gave any."""
    chosen = [model for choice in analysis.choices for model in choice.models]
    answered = [call.model for call in analysis.calls if call.outcome in ("ok", REUSED)]
    return tuple(dict.fromkeys(chosen or answered))


def gaps_of(analysis: Analysis | None) -> str:
    """What a result that is not whole lacks, in one sentence; empty where it is whole."""
    return f"not whole: {'; '.join(analysis.missing)}" if analysis and analysis.missing else ""


def row_of(document: Document, result: DocumentResult) -> ResultRow:
    """The row of a document that ended with that result; the document's own event is what it is stored by."""
    analysis = document.analysis if isinstance(document, DocumentAnalyzed | DocumentValidated) else None
    return ResultRow(
        document_id=result.document_id,
        tenant=result.tenant,
        version=result.version,
        batch_id=result.batch_id,
        state=result.state,
        document_type=result.document_type,
        track=result.track,
        confidence=result.confidence,
        fields=result.fields,
        summary=result.summary,
        answers=result.answers,
        quality=result.quality,
        models=result.models,
        cost_usd=result.cost_usd,
        calls=tuple(call.to_avro() for call in analysis.calls) if analysis else (),
        reason=result.reason,
        filename=document.submission.filename,
        media_type=document.source.media_type,
        metadata=result.metadata,
        submitted_at=result.submitted_at,
        finished_at=result.finished_at,
        stored_by=document.event_id,
    )
