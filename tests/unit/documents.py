"""Events of the documents pipeline for tests of single handlers."""

from datetime import UTC, datetime

from schemas.events import (
    Analysis,
    Choice,
    Classification,
    DocumentAnalyzed,
    DocumentClassified,
    Reference,
    Source,
    Submission,
)

MOMENT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def classified(text: str | Reference, kind: str = "invoice", tasks: tuple[str, ...] = ()) -> DocumentClassified:
    """A document whose type is known."""
    return DocumentClassified(
        event_id="parent",
        document_id="d-1",
        tenant="default",
        version=1,
        batch_id="",
        submission=Submission(
            filename="d.txt", content_type="text/plain", tasks=tasks, metadata={}, submitted_at=MOMENT
        ),
        source=Source(media_type="text/plain", sha256="00", size=1, pages=1, method="text", warnings=()),
        text=text,
        classification=Classification(document_type=kind, track="technical", confidence=1.0, reason="a test"),
    )


def analyzed(document: DocumentClassified, analysis: Analysis) -> DocumentAnalyzed:
    """The same document after the models."""
    return DocumentAnalyzed(
        document_id=document.document_id,
        tenant=document.tenant,
        version=document.version,
        batch_id=document.batch_id,
        submission=document.submission,
        source=document.source,
        text=document.text,
        classification=document.classification,
        analysis=analysis,
    )


def analysis(
    fields: dict[str, str],
    *,
    confidence: float = 0.9,
    summary: str = "",
    answers: dict[str, str] | None = None,
    choices: tuple[Choice, ...] = (),
    missing: tuple[str, ...] = (),
) -> Analysis:
    """What models said."""
    return Analysis(
        fields=fields,
        summary=summary,
        answers=answers or {},
        confidence=confidence,
        calls=(),
        choices=choices,
        missing=missing,
    )
