"""Takes one document in: checked, put aside where it is large, published, noted, in that order.

1. The blob, so that nobody meets a reference to nothing.
2. Kafka. What it has, is accepted; what it has not, is not.
3. The note of it. Noted first, a crash in between would answer the sender's next try with "already accepted" for a
   document that nobody has. This way it is published twice, and stored once.
"""

import asyncio
import hashlib
from weakref import WeakValueDictionary

from schemas.events import DocumentSubmitted, Reference
from services.ingest.answers import Answer, accepted, failed, known, of_error, taken
from services.ingest.door import Door
from services.ingest.handed import Document
from services.ingest.sniff import no_document
from shared.core.errors import Failed, Unavailable
from shared.core.failures import Failure
from shared.pipelines.identity import content_id
from shared.ports import Submissions, Submitted


class Notes:
    """The door's submissions during one request: once they are away, the request goes on without them."""

    def __init__(self, submissions: Submissions) -> None:
        self._submissions = submissions
        self.reachable = True
        """Whether they answered so far."""

    async def find(self, document_id: str) -> Submitted | None:
        """What was accepted under the id, as far as anybody can tell."""
        try:
            return await self._submissions.find(document_id) if self.reachable else None
        except Unavailable:
            self.reachable = False
            return None

    async def accept(self, submitted: Submitted) -> None:
        """Note it, if anybody can. Kafka has the document: whatever goes wrong here does not undo that."""
        try:
            if self.reachable:
                await self._submissions.accept(submitted)
        except (Unavailable, Failed):
            self.reachable = False


class Intake:
    """The way in, shared by all requests of a process."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._places = asyncio.Semaphore(door.limits.at_once)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def answer(self, document: Document, notes: Notes) -> Answer:
        """What becomes of one document; whatever a port raises is an answer too."""
        try:
            async with self._places:
                return await self._take(document, notes)
        except (Failed, Unavailable) as error:
            return of_error(error)

    async def _take(self, document: Document, notes: Notes) -> Answer:
        handed, content, limits = document.handed, document.content, self._door.limits
        if content.size > limits.document_bytes:
            message = f"{content.size:,} bytes; the largest document taken has {limits.document_bytes:,}"
            return failed(Failure.TOO_LARGE, message)
        data = await content.read()
        if not data:
            return failed(Failure.EMPTY, "the document has no content")
        if kind := no_document(data):
            return failed(Failure.UNSUPPORTED, f"this is {kind}")
        digest = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        submitted = Submitted(
            document_id=handed.document_id or await asyncio.to_thread(content_id, handed.tenant, data),
            tenant=handed.tenant,
            version=handed.version,
            sha256=digest,
            batch_id=handed.batch_id,
            filename=handed.filename,
            submitted_at=self._door.clock(),
        )
        # The same id twice at once, and both would find nothing and be published.
        async with self._turns.setdefault(submitted.document_id, asyncio.Lock()):
            standing = await notes.find(submitted.document_id)
            if standing and (repeat := beside(standing, submitted)):
                return repeat
            await self._publish(document, submitted, data)
            await notes.accept(submitted)
        return accepted(submitted, deduplicated=notes.reachable)

    async def _publish(self, document: Document, submitted: Submitted, data: bytes) -> None:
        carried: bytes | Reference = document.content.reference or data
        if isinstance(carried, bytes) and len(carried) > self._door.limits.inline_bytes:
            blob = await self._door.blobs.put(carried)
            carried = Reference(uri=blob.uri, sha256=blob.sha256, size=blob.size)
        event = DocumentSubmitted(
            document_id=submitted.document_id,
            tenant=submitted.tenant,
            version=submitted.version,
            batch_id=submitted.batch_id,
            filename=submitted.filename,
            content_type=document.handed.content_type,
            content=carried,
            tasks=document.handed.tasks,
            metadata=document.handed.metadata,
            submitted_at=submitted.submitted_at,
        )
        await self._door.publisher.publish(self._door.topic, event)


def beside(standing: Submitted, now: Submitted) -> Answer | None:
    """The answer to a document whose id is known; None where it is a new version."""
    if standing.tenant == now.tenant and now.version > standing.version:
        return None
    same = standing.tenant == now.tenant and standing.sha256 == now.sha256
    return known(standing) if same else taken(standing, now.tenant)
