"""Requests read: JSON and multipart, within their limits, into documents or the answers that refuse them."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from pydantic import Field, ValidationError, model_validator
from pydantic_core import from_json
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.types import Message, Receive

from schemas.events import Reference
from services.ingest.answers import Answer, failed, wrong_fields
from services.ingest.door import Limits
from services.ingest.handed import Content, Document, Handed, in_memory
from shared.core.context import Blobs
from shared.core.errors import Failed
from shared.core.failures import Failure

FORM_FIELDS = {"document_id": "document_id", "tenant": "tenant", "batch": "batch_id", "version": "version"}
"""Name in a form to name of the field; beside them stand `task`, any number of times, `metadata`, and the files."""

FIELD_BYTES = 256 * 1024
"""Largest form field that is no file."""


class JsonDocument(Handed):
    """A document in JSON: its fields, and its content in one of three ways."""

    content_base64: str | None = None
    """Its bytes in base64."""
    text: str | None = None
    """Its text."""
    uri: str | None = None
    """Where the sender has put it, below the blob address; needs `sha256` and `size`."""
    sha256: str = Field(default="", pattern="^([0-9a-fA-F]{64})?$")
    """Hash of the bytes at `uri`."""
    size: int = Field(default=0, ge=0)
    """Number of bytes at `uri`."""

    @model_validator(mode="after")
    def check_content(self) -> "JsonDocument":
        """Exactly one way."""
        if sum(way is not None for way in (self.content_base64, self.text, self.uri)) != 1:
            raise ValueError("give exactly one of content_base64, text and uri")
        if self.uri is not None and not (self.sha256 and self.size):
            raise ValueError("uri needs the sha256 and the size of the file")
        return self


def counted(receive: Receive, limit: int) -> Receive:
    """The same stream, cut off with Failed(too_large) once it has brought more than the limit."""
    so_far = 0

    async def limited() -> Message:
        nonlocal so_far
        message = await receive()
        so_far += len(message.get("body", b""))
        if so_far > limit:
            raise Failed(Failure.TOO_LARGE, f"the request is larger than {limit:,} bytes")
        return message

    return limited


async def json_documents(request: Request, limits: Limits, blobs: Blobs) -> tuple[Sequence[Document | Answer], bool]:
    """The documents of a JSON request, and whether they came as a batch. Raises Failed."""
    try:
        given = from_json(await request.body())
    except ValueError as error:
        raise Failed(Failure.MALFORMED_JSON, f"the body is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise Failed(Failure.INVALID_EVENT, 'the body must be an object: a document, or {"documents": [...]}')
    if "documents" not in given:
        return [json_document(given, blobs)], False
    several = given.pop("documents")
    if not isinstance(several, list) or not 1 <= len(several) <= limits.documents:
        raise Failed(Failure.INVALID_EVENT, f"documents must be a list of 1 to {limits.documents:,} documents")
    return [json_document(given | one if isinstance(one, dict) else one, blobs) for one in several], True


def json_document(given: Any, blobs: Blobs) -> Document | Answer:
    """One document of a JSON request."""
    try:
        said = JsonDocument.model_validate(given)
    except ValidationError as error:
        return wrong_fields(error)
    if said.content_base64 is not None:
        try:
            data = base64.b64decode(said.content_base64, validate=True)
        except (binascii.Error, ValueError) as error:
            return failed(Failure.INVALID_EVENT, f"content_base64: {error}", "send standard base64 without line breaks")
        return Document(said, in_memory(data))
    if said.uri is not None:
        return Document(said, put_aside(Reference(uri=said.uri, sha256=said.sha256.lower(), size=said.size), blobs))
    return Document(said, in_memory((said.text or "").encode()))


def put_aside(reference: Reference, blobs: Blobs) -> Content:
    """Bytes that the sender has put below the blob address already."""

    async def read() -> bytes:
        return await blobs.get(reference)

    return Content(reference.size, read, reference)


def form_documents(form: FormData) -> tuple[Sequence[Document | Answer], bool]:
    """The documents of a form, and whether they are several. Raises Failed, or ValidationError for the fields."""
    files = [part for _, part in form.multi_items() if isinstance(part, UploadFile)]
    if not files:
        raise Failed(Failure.EMPTY, "the form holds no file: add one, as in curl -F file=@invoice.pdf")
    fields = form_fields(form)
    if len(files) > 1 and "document_id" in fields:
        raise Failed(Failure.INVALID_EVENT, f"document_id names one document, and the form holds {len(files)} files")
    return [form_document(fields, file) for file in files], len(files) > 1


def form_fields(form: FormData) -> dict[str, Any]:
    """What a form says of its files."""
    fields: dict[str, Any] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            continue
        if name == "task":
            fields["tasks"] = (*fields.get("tasks", ()), value)
        elif name == "metadata":
            fields["metadata"] = metadata(value)
        elif name not in FORM_FIELDS or FORM_FIELDS[name] in fields:
            wrong = "is given twice" if name in FORM_FIELDS else "is unknown"
            raise Failed(
                Failure.INVALID_EVENT,
                f"form field {name[:80]!r} {wrong}: use {', '.join(FORM_FIELDS)}, task (repeated), metadata, and files",
            )
        else:
            fields[FORM_FIELDS[name]] = value
    return fields


def metadata(value: str) -> Any:
    """The form's metadata, which is JSON."""
    try:
        return from_json(value)
    except ValueError as error:
        raise Failed(Failure.MALFORMED_JSON, f"metadata is not JSON: {error}") from error


def form_document(fields: dict[str, Any], file: UploadFile) -> Document | Answer:
    """One file of a form."""
    try:
        said = Handed.model_validate(
            fields | {"filename": file.filename or "", "content_type": file.content_type or ""}
        )
    except ValidationError as error:
        return wrong_fields(error)
    return Document(said, Content(file.size or 0, file.read))
