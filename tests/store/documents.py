"""Documents as they reach the store stage, and one that a person may reject."""

from datetime import UTC, datetime

from schemas.events import (
    Analysis,
    Classification,
    DocumentClassified,
    DocumentValidated,
    ModelCall,
    Source,
    Submission,
    Validation,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, 123000, UTC)
SUBMITTED = datetime(2026, 3, 1, 11, 0, 0, 0, UTC)


def call(model: str, outcome: str = "ok") -> ModelCall:
    """A model call of a quarter of a dollar."""
    return ModelCall(
        task="extraction",
        provider="sim",
        model=model,
        prompt="extract@1",
        input_tokens=100,
        output_tokens=10,
        cost_usd=0.25,
        milliseconds=12,
        outcome=outcome,
    )


STANDARD = DocumentClassified(
    event_id="event-1",
    document_id="letter-1",
    tenant="acme",
    version=2,
    batch_id="march",
    submission=Submission(
        filename="letter.txt", content_type="", tasks=(), metadata={"source": "mail"}, submitted_at=SUBMITTED
    ),
    source=Source(media_type="text/plain", sha256="0" * 64, size=5, pages=1, method="text", warnings=()),
    text="Dear",
    classification=Classification(document_type="letter", track="standard", confidence=0.8, reason="Dear"),
)

TECHNICAL = DocumentValidated(
    event_id="event-2",
    document_id="invoice-1",
    tenant="acme",
    version=1,
    batch_id="",
    submission=STANDARD.submission,
    source=STANDARD.source,
    text="Total 12,50",
    classification=Classification(document_type="invoice", track="technical", confidence=0.9, reason="Total"),
    analysis=Analysis(
        fields={"total": "12,50"},
        summary="An invoice.",
        answers={"Who pays?": "Bob"},
        confidence=0.7,
        calls=(call("small", "refusal"), call("large"), call("large")),
    ),
    validation=Validation(quality=0.75, problems=(), spans={}),
)
