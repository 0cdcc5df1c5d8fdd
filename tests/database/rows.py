"""Rows for tests."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shared.core.results import ResultRow

NOW = datetime(2026, 3, 1, 12, 0, 0, 123000, UTC)

ROW = ResultRow(
    document_id="d1",
    tenant="acme",
    version=1,
    stored_by="event-1",
    submitted_at=NOW,
    finished_at=NOW,
    batch_id="march",
    document_type="invoice",
    track="technical",
    confidence=0.9,
    fields={"total": "12,50 €"},
    summary="An invoice.",
    answers={"Who pays?": "Bob"},
    quality=1.0,
    models=("sim-large",),
    cost_usd=0.0125,
    calls=({"model": "sim-large", "cost_usd": 0.0125, "input_tokens": 7},),
    filename="invoice.pdf",
    media_type="application/pdf",
    metadata={"source": "mail"},
)


def row(**changes: Any) -> ResultRow:
    """The usual row with changes."""
    return replace(ROW, **changes)
