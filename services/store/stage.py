"""Store: a document's result in PostgreSQL, once, and the event that tells it."""

from collections.abc import Sequence
from dataclasses import replace

from schemas.events import DocumentClassified, DocumentResult, DocumentValidated
from shared.core.context import Context
from shared.core.errors import Failed
from shared.core.outcome import DeadLetter, Emit, Outcome
from shared.pipelines.document_results import result_of, row_of
from shared.pipelines.documents import STORE

REASONS = {
    "superseded": "a higher version is stored",
    "deduplicated": "this version is stored already",
}
"""Why a document ended without being stored."""


@STORE.batch
async def store(
    documents: Sequence[DocumentClassified | DocumentValidated], ctx: Context
) -> Sequence[Outcome[DocumentResult]]:
    """Store the batch, and tell of each document how it ended.

    PostgreSQL first, Kafka second: after a crash in between, the same events come again and find their own rows.
    """
    results = [result_of(document, "stored", ctx.now) for document in documents]
    rows = [row_of(document, result) for document, result in zip(documents, results, strict=True)]
    states = await ctx.results.upsert(rows)
    return [ending(result, state) for result, state in zip(results, states, strict=True)]


def ending(result: DocumentResult, state: str | Failed) -> Outcome[DocumentResult]:
    """What became of one document."""
    if isinstance(state, Failed):
        return DeadLetter(state.failure, state.message)
    return Emit(replace(result, state=state, reason=REASONS.get(state, result.reason)))
