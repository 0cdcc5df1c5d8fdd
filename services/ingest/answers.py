"""What the door answers: a status and a body, as a value, for a request or for one document of many.

202 accepted                    409 the id is taken: other content, no higher version
200 accepted before             413 too large
400 malformed JSON or form      415 plainly no document
404 unknown document            422 empty, or a field is wrong
                                503 Kafka, blobs or database away: the same request again, later
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError

from shared.core.errors import Failed, Unavailable
from shared.core.failures import Failure
from shared.ports import Submitted

STATUSES = {
    Failure.EMPTY: 422,
    Failure.TOO_LARGE: 413,
    Failure.UNSUPPORTED: 415,
    Failure.INVALID_EVENT: 422,
    Failure.REFERENCE_MISSING: 422,
    Failure.MALFORMED_JSON: 400,
    Failure.STORE_REJECTED: 422,
}
"""Failure class to status; any other is ours: 500."""

REMEDIES = {
    Failure.EMPTY: "send the document's bytes",
    Failure.TOO_LARGE: "send a smaller document, or split it",
    Failure.UNSUPPORTED: "send a document: PDF, image, DOCX, HTML, mail, text or CSV",
    Failure.REFERENCE_MISSING: "put the file below PENSTOCK_BLOB_URL, and give its sha256 and size as they are",
    Failure.MALFORMED_JSON: "send one JSON object in UTF-8",
}
"""What the sender can do; where none stands, the message says it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    status: int
    """HTTP status."""
    body: Mapping[str, Any]
    """JSON body."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers."""


def refused(status: int, code: str, message: str, remedy: str = "") -> Answer:
    """An error, with what to do about it."""
    return Answer(status, {"error": {"code": code, "message": message, "remedy": remedy}})


def failed(failure: Failure, message: str, remedy: str = "") -> Answer:
    """An error that has a failure class."""
    return refused(STATUSES.get(failure, 500), failure.value, message, remedy or REMEDIES.get(failure, ""))


def of_error(error: Failed | Unavailable) -> Answer:
    """What a port raised."""
    if isinstance(error, Failed):
        return failed(error.failure, error.message)
    code = Failure.STORE_UNAVAILABLE.value if error.dependency == "database" else "unavailable"
    after = max(1, math.ceil(error.after))
    message = f"{error.dependency} is away: {error.message}"
    body = refused(503, code, message, f"nothing was lost: send the same again in {after} s").body
    return Answer(503, body, {"Retry-After": str(after)})


def wrong_fields(error: ValidationError) -> Answer:
    """Fields that are not what they should be, each with its reason; the values are not repeated, they may be huge."""
    lines = (f"{'.'.join(map(str, one['loc'])) or 'document'}: {one['msg']}" for one in error.errors(include_url=False))
    return failed(Failure.INVALID_EVENT, "; ".join(lines)[:2000], "correct these fields and send it again")


def location(document_id: str) -> str:
    """Where a document can be asked for."""
    return f"/documents/{quote(document_id, safe='')}"


def accepted(submitted: Submitted, *, deduplicated: bool) -> Answer:
    """Kafka has it. Without the database nobody looked whether it was there before, and the answer says so."""
    place = location(submitted.document_id)
    note = {} if deduplicated else {"deduplication": "off"}
    body = {"state": "accepted"} | _described(submitted) | {"location": place} | note
    return Answer(202, body, {"Location": place})


def known(standing: Submitted) -> Answer:
    """The same document was accepted before."""
    message = "already accepted; give a higher version to have it processed again"
    place = location(standing.document_id)
    body = {"state": "already accepted"} | _described(standing) | {"location": place, "message": message}
    return Answer(200, body, {"Location": place})


def taken(standing: Submitted, tenant: str) -> Answer:
    """The id stands for something else."""
    if standing.tenant != tenant:
        message, remedy = f"document {standing.document_id!r} belongs to another tenant", "give it another document_id"
    else:
        message = f"document {standing.document_id!r} was accepted as version {standing.version} with other content"
        remedy = f"give version {standing.version + 1} to replace it, or another document_id"
    return refused(409, "version_conflict", message, remedy)


def _described(submitted: Submitted) -> dict[str, Any]:
    return {
        "document_id": submitted.document_id,
        "version": submitted.version,
        "batch_id": submitted.batch_id,
        "sha256": submitted.sha256,
        "since": submitted.submitted_at.isoformat(),
    }


def together(answers: Sequence[Answer]) -> Answer:
    """One answer for many documents: 202 where at least one was taken; each document has its own status.

    A request of which nothing was taken must not look like a success to a client that reads the status alone.
    """
    good = [answer for answer in answers if answer.status < 300]
    worst = max(answers, key=lambda answer: answer.status)
    documents = [{"index": n, "status": answer.status} | dict(answer.body) for n, answer in enumerate(answers)]
    body = {"accepted": len(good), "refused": len(answers) - len(good), "documents": documents}
    return Answer(202, body) if good else Answer(worst.status, body, worst.headers)
