"""What the tables tell an audit: which results are kept, which reviews, what the ingest door has accepted."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.core.conservation.facts import Decision
from shared.database.pool import Database

STORED = "select document_id, version from results where pipeline = %s"
REVIEWS = "select review_id, decision, coalesce(sequence, 0) as sequence from reviews where pipeline = %s"
ACCEPTED = "select document_id, batch_id from submissions where pipeline = %s"
CHECKPOINT = "select topic, partition, next from audit_checkpoints where pipeline = %s"
FOLDED = "select document_id, batch_id, published, states from audit_documents where pipeline = %s"


@dataclass(frozen=True, slots=True)
class Folded:
    """A document that was brought to its end before the checkpoint; its records may be deleted."""

    document: str
    """The document."""
    batch: str
    """The batch it came with."""
    published: int
    """Records of it at the ingest topic."""
    states: Mapping[str, int]
    """How they ended."""


@dataclass(frozen=True, slots=True)
class AccountTables:
    """Reads the tables of one pipeline."""

    database: Database
    """The pool."""
    pipeline: str
    """Whose documents."""

    async def stored(self) -> dict[str, int]:
        """Document to the version of its row."""
        rows = await self.database.rows(STORED, [self.pipeline])
        return {row["document_id"]: row["version"] for row in rows}

    async def reviews(self) -> dict[str, Decision]:
        """Place of the request to what was decided."""
        rows = await self.database.rows(REVIEWS, [self.pipeline])
        return {row["review_id"]: Decision(row["decision"], row["sequence"]) for row in rows}

    async def accepted(self) -> dict[str, str]:
        """Documents that the ingest door has accepted, each with its batch."""
        rows = await self.database.rows(ACCEPTED, [self.pipeline])
        return {row["document_id"]: row["batch_id"] for row in rows}

    async def checkpoint(self) -> dict[tuple[str, int], int]:
        """Partition to the first offset that is not folded."""
        rows = await self.database.rows(CHECKPOINT, [self.pipeline])
        return {(row["topic"], row["partition"]): row["next"] for row in rows}

    async def folded(self) -> list[Folded]:
        """Documents that lie before the checkpoint."""
        rows = await self.database.rows(FOLDED, [self.pipeline])
        return [Folded(row["document_id"], row["batch_id"], row["published"], row["states"]) for row in rows]
