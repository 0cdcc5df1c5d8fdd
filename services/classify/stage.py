"""Classify: what kind of document it is, and whether a model has to look at it."""

from dataclasses import fields

from schemas.events import Classification, DocumentClassified, TextExtracted
from services.classify.rules import classify as by_rules
from services.classify.settings import ClassifySettings
from shared.core.context import Context
from shared.core.failures import Failure
from shared.core.outcome import Emit, Outcome, Review
from shared.pipelines.content import text_of
from shared.pipelines.document_types import DocumentType, track_of
from shared.pipelines.documents import CLASSIFY


@CLASSIFY.handler(settings=ClassifySettings)
async def classify(document: TextExtracted, ctx: Context) -> Outcome[DocumentClassified]:
    """Weigh the evidence in the text; ask a person where there is too little of it."""
    text = await text_of(document.text, ctx)
    found = by_rules(text, document.submission.filename, document.source.media_type)
    track = track_of(found.document_type, document.submission.tasks)
    event = DocumentClassified(
        **{entry.name: getattr(document, entry.name) for entry in fields(document)},
        classification=Classification(
            document_type=found.document_type, track=track, confidence=found.confidence, reason=found.reason
        ),
    )
    # Of a document in which nothing was recognised a person would learn nothing either: it is stored as `other`.
    doubtful = found.confidence < ctx.resource(ClassifySettings).review_below_for(found.document_type)
    if doubtful and found.document_type is not DocumentType.OTHER:
        message = f"type {found.document_type} with confidence {found.confidence:.2f}: {found.reason}"
        return Review(message, event, Failure.LOW_CONFIDENCE)
    return Emit(event)
