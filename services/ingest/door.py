"""The door's ports and limits: all that it needs of the world."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.core.context import Blobs
from shared.ports import Publisher, StoredResults, Submissions

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the door takes at once."""

    document_bytes: int = 50 * MIB
    """Largest document."""
    inline_bytes: int = 512 * 1024
    """Largest document that travels inside its record; a larger one is put aside and travels by reference."""
    documents: int = 1000
    """Most documents of one request."""
    at_once: int = 8
    """Documents in memory at the same time, over all requests."""

    @property
    def form_bytes(self) -> int:
        """Largest multipart request: four largest documents; files are kept on disk while it is read."""
        return 4 * self.document_bytes

    @property
    def json_bytes(self) -> int:
        """Largest JSON request: one largest document in base64, or many small ones."""
        return self.document_bytes * 4 // 3 + MIB


@dataclass(frozen=True, slots=True)
class Door:
    """What the door is opened with."""

    publisher: Publisher
    """To Kafka: what it has, is accepted."""
    submissions: Submissions
    """What was accepted before; its absence costs deduplication, not acceptance."""
    results: StoredResults
    """How documents ended."""
    blobs: Blobs
    """Where large documents are put aside."""
    topic: str
    """The pipeline's ingest topic."""
    clock: Callable[[], datetime]
    """Now, UTC."""
    limits: Limits = Limits()
    """How much it takes."""
