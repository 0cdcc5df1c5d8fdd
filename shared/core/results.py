"""How a document ended, as the table of results keeps it, and what a handler may ask of that table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.core.errors import Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """One document's row. The pipeline is not in it: whoever opens the table says for which pipeline."""

    document_id: str
    """The document; with the pipeline the row's key."""
    tenant: str
    """On whose account the work was done."""
    version: int
    """Version of the submission; a row is only ever replaced by a higher one."""
    stored_by: str
    """Id of the event that brought the row: the same event once more is a repeat, another one is a duplicate."""
    submitted_at: datetime
    """When it was handed in, UTC."""
    finished_at: datetime
    """When it ended, UTC."""
    state: str = "stored"
    """How it ended, if this row gets in: stored, or rejected."""
    batch_id: str = ""
    """The batch it came with; empty where it came alone."""
    document_type: str = ""
    """Its type; empty where it was never classified."""
    track: str = ""
    """technical or standard; empty where it was never classified."""
    confidence: float = 0.0
    """Confidence of the classification, 0 to 1."""
    fields: Mapping[str, str]
    """Extracted fields."""
    summary: str = ""
    """Summary; empty where none was asked for."""
    answers: Mapping[str, str]
    """Question to answer."""
    quality: float | None = None
    """Quality of the analysis, 0 to 1; None where nothing was analysed."""
    models: Sequence[str] = ()
    """Models whose answers it holds."""
    cost_usd: float = 0.0
    """US dollars spent on model calls."""
    calls: Sequence[Mapping[str, Any]] = ()
    """Every model call: task, provider, model, prompt, tokens, cost, milliseconds, outcome."""
    reason: str = ""
    """Why it ended so, where that is not plain."""
    filename: str = ""
    """What its owner calls it."""
    media_type: str = ""
    """Media type found from the bytes."""
    metadata: Mapping[str, str]
    """The sender's own notes."""


class Results(Protocol):
    """The table of results, for a handler."""

    async def upsert(self, rows: Sequence[ResultRow]) -> Sequence[str | Failed]:
        """Put each row where none as new is there, in the order given; gives what became of each.

        The row's own state where it is in now, or was put there by this very event before (a redelivery after a crash
        between this and the Kafka commit must not turn `stored` into `deduplicated`); `superseded` by a higher version;
        `deduplicated` where another event brought the same version; Failed where the database refuses that one row.
        Raises Unavailable when the database is away.
        """
        ...

    async def brought(self, events: Sequence[tuple[str, str]]) -> frozenset[str]:
        """Which of these events, each told as its document and its id, have brought the row that stands there.

        What they ask for is done. Raises Unavailable.
        """
        ...
