"""A `store` that keeps no promise: of three documents it loses one, tells of one twice, and gives one up.

`python -m tests.cli.careless`. What breaks things on purpose to see whether promises hold has to find it out.
"""

from collections.abc import Sequence
from itertools import count

from schemas.events import DocumentClassified, DocumentResult, DocumentValidated
from shared.core.context import Context
from shared.core.failures import Failure
from shared.core.outcome import DeadLetter, Emit, Outcome
from shared.pipelines.document_results import result_of
from shared.pipelines.documents import DOCUMENTS, STORE
from shared.runtime.stage_service import serve

NUMBERS = count()


@STORE.batch
async def store(
    documents: Sequence[DocumentClassified | DocumentValidated], ctx: Context
) -> Sequence[Outcome[DocumentResult]]:
    """Treat each in its way, in turn."""
    return [carelessly(result_of(document, "stored", ctx.now)) for document in documents]


def carelessly(result: DocumentResult) -> Outcome[DocumentResult]:
    """What becomes of one document."""
    return (Emit(), Emit(result, result), DeadLetter(Failure.STORE_UNAVAILABLE, "PostgreSQL is away"))[
        next(NUMBERS) % 3
    ]


if __name__ == "__main__":
    serve(DOCUMENTS, store)
