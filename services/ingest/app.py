"""The HTTP door as a Starlette application.

POST /documents            one document or many, as a form or as JSON
GET  /documents/{id}       what became of it
GET  /documents?batch=…    what became of a batch; without one, the newest results
"""

import asyncio
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from services.ingest.answers import Answer, together
from services.ingest.bodies import FIELD_BYTES, counted, form_documents, json_documents
from services.ingest.door import Door
from services.ingest.errors import HANDLERS, response
from services.ingest.handed import Document
from services.ingest.intake import Intake, Notes
from services.ingest.views import listing, state_of
from shared.core.errors import Failed
from shared.core.failures import Failure

LARGEST_LIST = 1000


def app(door: Door) -> Starlette:
    """The door, opened on these ports."""
    endpoints = Endpoints(door)
    routes = [
        Route("/documents", endpoints.post, methods=["POST"]),
        Route("/documents", endpoints.several, methods=["GET"]),
        Route("/documents/{document_id:path}", endpoints.one, methods=["GET"]),
    ]
    return Starlette(routes=routes, exception_handlers=HANDLERS)


class Endpoints:
    """What is behind the three routes."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._intake = Intake(door)

    async def post(self, request: Request) -> JSONResponse:
        """Take documents in."""
        limits = self._door.limits
        match request.headers.get("content-type", "").partition(";")[0].strip().lower():
            case "application/json":
                limited = Request(request.scope, counted(request.receive, limits.json_bytes))
                return await self._take(*await json_documents(limited, limits, self._door.blobs))
            case "multipart/form-data":
                limited = Request(request.scope, counted(request.receive, limits.form_bytes))
                async with limited.form(max_files=limits.documents, max_part_size=FIELD_BYTES) as form:
                    return await self._take(*form_documents(form))
            case other:
                raise HTTPException(415, f"content type {other[:80]!r}; send multipart/form-data or application/json")

    async def _take(self, documents: Sequence[Document | Answer], several: bool) -> JSONResponse:
        notes = Notes(self._door.submissions)

        async def one(document: Document | Answer) -> Answer:
            return document if isinstance(document, Answer) else await self._intake.answer(document, notes)

        answers = await asyncio.gather(*map(one, documents))
        return response(together(answers) if several else answers[0])

    async def one(self, request: Request) -> JSONResponse:
        """What became of one document."""
        name = storable(request.path_params["document_id"])
        found, noted = await asyncio.gather(self._door.results.find(name), self._door.submissions.find(name))
        return response(state_of(name, found, noted))

    async def several(self, request: Request) -> JSONResponse:
        """What became of a batch."""
        batch, limit = storable(request.query_params.get("batch", "")), limit_of(request)
        results = await self._door.results.list(batch_id=batch, limit=limit)
        noted = await self._door.submissions.batch(batch, limit) if batch else ()
        return response(Answer(200, listing(batch, results, noted)))


def storable(name: str) -> str:
    """A name one can ask PostgreSQL for. Raises Failed(invalid_event)."""
    if "\0" in name:
        raise Failed(Failure.INVALID_EVENT, f"{name[:200]!r} holds a NUL character, which no id does")
    return name


def limit_of(request: Request) -> int:
    """How many rows are wanted."""
    given = request.query_params.get("limit", "100")
    if not (given.isascii() and given.isdigit() and 1 <= int(given[:9]) <= LARGEST_LIST):
        raise Failed(Failure.INVALID_EVENT, f"limit {given[:20]!r}: it must be 1 to {LARGEST_LIST}")
    return int(given)
