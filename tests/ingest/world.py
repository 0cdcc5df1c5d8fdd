"""The door's ports as plain classes, and a client that knocks."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx

from schemas.events import DocumentSubmitted
from services.ingest.app import app
from services.ingest.door import Door, Limits
from shared.core.context import BlobReference, StoredBlob
from shared.core.errors import Failed, Unavailable
from shared.core.event import Event
from shared.core.failures import Failure
from shared.ports import Submitted

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
SMALL = Limits(document_bytes=4000, inline_bytes=1000, documents=5, at_once=2)


@dataclass
class Kafka:
    """What was published."""

    events: list[DocumentSubmitted] = field(default_factory=list)
    away: bool = False

    async def publish(self, topic: str, event: Event) -> None:
        """Keep it."""
        if self.away:
            raise Unavailable("kafka", "no broker answers", after=2.5)
        assert topic == "documents.ingest"
        assert isinstance(event, DocumentSubmitted)
        self.events.append(event)


@dataclass
class Database:
    """Submissions and results."""

    noted: dict[str, Submitted] = field(default_factory=dict)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    away: bool = False
    asked: int = 0

    def reach(self) -> None:
        """Fail where it is away."""
        self.asked += 1
        if self.away:
            raise Unavailable("database", "PostgreSQL is away")


@dataclass
class Noted:
    """`Submissions`."""

    database: Database

    async def find(self, document_id: str) -> Submitted | None:
        """The newest."""
        self.database.reach()
        return self.database.noted.get(document_id)

    async def accept(self, submission: Submitted) -> None:
        """Keep it."""
        self.database.reach()
        self.database.noted[submission.document_id] = submission

    async def batch(self, batch_id: str, limit: int = 1000) -> Sequence[Submitted]:
        """Of a batch."""
        self.database.reach()
        return [one for one in self.database.noted.values() if one.batch_id == batch_id][:limit]


@dataclass
class Results:
    """`StoredResults`."""

    database: Database

    async def find(self, document_id: str) -> Mapping[str, Any] | None:
        """The row."""
        self.database.reach()
        return self.database.rows.get(document_id)

    async def list(
        self, *, batch_id: str = "", document_type: str = "", limit: int = 100
    ) -> Sequence[Mapping[str, Any]]:
        """Rows."""
        self.database.reach()
        return [row for row in self.database.rows.values() if batch_id in ("", row["batch_id"])][:limit]


@dataclass
class Shelf:
    """`Blobs`."""

    kept: dict[str, bytes] = field(default_factory=dict)

    async def put(self, data: bytes) -> StoredBlob:
        """Keep it."""
        digest = hashlib.sha256(data).hexdigest()
        self.kept[f"file:///blobs/{digest}"] = data
        return StoredBlob(f"file:///blobs/{digest}", digest, len(data))

    async def get(self, reference: BlobReference) -> bytes:
        """Find it."""
        if not reference.uri.startswith("file:///blobs/"):
            raise Failed(Failure.INVALID_EVENT, f"{reference.uri} is not below file:///blobs")
        if reference.uri not in self.kept:
            raise Failed(Failure.REFERENCE_MISSING, f"{reference.uri}: nothing is there")
        return self.kept[reference.uri]


@dataclass
class World:
    """The door and everything behind it."""

    kafka: Kafka
    database: Database
    blobs: Shelf
    client: httpx.AsyncClient

    async def send(self, **document: Any) -> httpx.Response:
        """Hand in one document as JSON."""
        return await self.client.post("/documents", json=document)

    async def form(self, fields: dict[str, Any] | None = None, **files: bytes) -> httpx.Response:
        """Hand in files as a form."""
        parts = [("file", (name.replace("_", "."), data)) for name, data in files.items()]
        return await self.client.post("/documents", data=fields or {}, files=parts)


@asynccontextmanager
async def opened(limits: Limits = SMALL) -> AsyncIterator[World]:
    """An open door."""
    kafka, database, blobs = Kafka(), Database(), Shelf()
    door = Door(kafka, Noted(database), Results(database), blobs, "documents.ingest", lambda: NOW, limits)
    transport = httpx.ASGITransport(app(door), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
        yield World(kafka, database, blobs, client)


def row(document_id: str, **changes: Any) -> dict[str, Any]:
    """A stored result."""
    usual = {
        "pipeline": "documents",
        "document_id": document_id,
        "version": 1,
        "batch_id": "",
        "state": "stored",
        "document_type": "letter",
        "finished_at": NOW,
        "stored_by": "event-1",
    }
    return usual | changes


def noted(document_id: str, **changes: Any) -> Submitted:
    """An accepted submission."""
    usual = Submitted(document_id, "default", 1, "0" * 64, "", "a.txt", NOW)
    return replace(usual, **changes)
