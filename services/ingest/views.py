"""What the door shows of documents: how they ended, or that they are on their way."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.ingest.answers import Answer, refused
from shared.ports import Submitted


def state_of(document_id: str, found: Mapping[str, Any] | None, noted: Submitted | None) -> Answer:
    """What is known of one document: how it ended, or that it is on its way."""
    if noted and (not found or noted.version > found["version"]):
        before = {"previous": shown(found)} if found else {}
        return Answer(200, on_its_way(noted) | before)
    if found:
        return Answer(200, shown(found))
    remedy = "a document that was published to Kafka directly is known here once it has ended"
    return refused(404, "not_found", f"no document {document_id[:200]!r} is known here", remedy)


def listing(batch: str, results: Sequence[Mapping[str, Any]], noted: Sequence[Submitted]) -> dict[str, Any]:
    """Documents of a batch, or the newest ones, with how many are in each state."""
    ended = {row["document_id"]: row for row in results}
    waiting = [on_its_way(one) for one in noted if one.version > ended.get(one.document_id, {"version": 0})["version"]]
    newer = {one["document_id"] for one in waiting}
    documents = [shown(row) for name, row in ended.items() if name not in newer] + waiting
    counts = Counter(document["state"] for document in documents)
    return {"batch": batch, "counts": dict(counts), "documents": documents}


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the table of results, as JSON."""
    hidden = ("pipeline", "stored_by")
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
        if name not in hidden
    }


def on_its_way(noted: Submitted) -> dict[str, Any]:
    """A submission that has no result yet."""
    return {
        "document_id": noted.document_id,
        "state": "accepted",
        "since": noted.submitted_at.isoformat(),
        "version": noted.version,
        "batch_id": noted.batch_id,
        "filename": noted.filename,
    }
