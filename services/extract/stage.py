"""Extract: the text of a document, whatever file it comes in."""

import hashlib

from schemas.events import DocumentSubmitted, Source, Submission, TextExtracted
from services.extract.extraction import Extraction, Unreadable
from services.extract.sandbox import Sandbox
from services.extract.settings import ExtractSettings
from shared.core.context import Context
from shared.core.outcome import Emit, Outcome
from shared.core.remedies import DEFAULT
from shared.pipelines.content import bytes_of, carried
from shared.pipelines.documents import EXTRACT


def open_sandbox(settings: ExtractSettings) -> Sandbox:
    """The pool of parser processes that lives as long as the service."""
    return Sandbox(settings.limits(), settings.workers, settings.recognisers)


@EXTRACT.handler(settings=ExtractSettings, opens=open_sandbox)
async def extract(document: DocumentSubmitted, ctx: Context) -> Outcome[TextExtracted]:
    """Read the file in a process that may be killed; say which failure class it has if it cannot be read."""
    data = await bytes_of(document.content, ctx)
    found = await ctx.resource(Sandbox).read(data, document.filename, document.content_type)
    if isinstance(found, Unreadable):
        return DEFAULT.failing(found.failure, found.message)
    return Emit(await text_extracted(document, data, found, ctx))


async def text_extracted(document: DocumentSubmitted, data: bytes, found: Extraction, ctx: Context) -> TextExtracted:
    """The event for what was found."""
    return TextExtracted(
        document_id=document.document_id,
        tenant=document.tenant,
        version=document.version,
        batch_id=document.batch_id,
        submission=Submission(
            filename=document.filename,
            content_type=document.content_type,
            tasks=document.tasks,
            metadata=document.metadata,
            submitted_at=document.submitted_at if document.submitted_at.timestamp() else ctx.now,
        ),
        source=Source(
            media_type=found.media_type,
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
            pages=found.pages,
            method=found.method,
            warnings=found.warnings,
        ),
        text=await carried(found.text, ctx),
    )
