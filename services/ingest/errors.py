"""What goes wrong outside a single document, as JSON like everything else."""

from typing import Any

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from services.ingest.answers import Answer, of_error, refused, wrong_fields
from shared.core.errors import Failed, Unavailable
from shared.core.failures import Failure

CODES = {400: "malformed_form", 404: "not_found", 405: "method_not_allowed", 415: Failure.UNSUPPORTED.value}
ROUTES = "there are POST /documents, GET /documents/{id} and GET /documents?batch=…"


def response(answer: Answer) -> JSONResponse:
    """An answer on the wire."""
    return JSONResponse(dict(answer.body), answer.status, dict(answer.headers))


async def on_http(_: Request, error: Exception) -> JSONResponse:
    """What Starlette refuses: a path, a method, a form that is none."""
    assert isinstance(error, HTTPException)
    body = refused(error.status_code, CODES.get(error.status_code, "refused"), error.detail, ROUTES).body
    return response(Answer(error.status_code, body, dict(error.headers or {})))


async def on_gone(_: Request, error: Exception) -> JSONResponse:
    """The client hung up; nobody reads this, but a log should not call it a fault."""
    return response(refused(400, "disconnected", "the client hung up before the request was complete"))


async def on_fields(_: Request, error: Exception) -> JSONResponse:
    """Fields of a whole request that are wrong."""
    assert isinstance(error, ValidationError)
    return response(wrong_fields(error))


async def on_port(_: Request, error: Exception) -> JSONResponse:
    """What a port raises outside a single document."""
    assert isinstance(error, Failed | Unavailable)
    return response(of_error(error))


async def on_surprise(_: Request, error: Exception) -> JSONResponse:
    """A fault of ours: the sender learns that it is not theirs, the log learns the rest."""
    message = f"the door failed: {type(error).__name__}"
    return response(refused(500, Failure.INTERNAL.value, message, "send the same again; it is idempotent"))


HANDLERS: dict[Any, Any] = {
    HTTPException: on_http,
    ClientDisconnect: on_gone,
    ValidationError: on_fields,
    Failed: on_port,
    Unavailable: on_port,
    Exception: on_surprise,
}
"""Kind of error to the function that answers it."""
