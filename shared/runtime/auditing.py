"""The audit as it is run: the topics and the tables read in the right order, and every finding looked at twice.

What the ingest door has accepted is read before the topics, for the door publishes first and notes second; results and
reviews are read after them, for these are noted first and told second.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.core.conservation.facts import Kept
from shared.core.conservation.flow import Flow, flow_of
from shared.core.conservation.verdict import Question, Verdict, confirmed, verdict
from shared.core.graph import Pipeline
from shared.database.accounts import AccountTables, Folded
from shared.database.pool import Database
from shared.kafka.accounts import Bookkeeper
from shared.kafka.reading import Reader
from shared.ports import Codec


@dataclass(frozen=True, slots=True)
class Auditor:
    """Audits one pipeline."""

    kafka: Mapping[str, Any]
    """How to reach Kafka."""
    pipeline: Pipeline
    """The pipeline."""
    codec: Codec
    """Reads the events."""
    ends: tuple[type[Any], ...]
    """Event types that stand on the results topic."""
    database: Database
    """The tables."""
    learn: Callable[[], Awaitable[None]]
    """Finds schemas that were met and are not known: without its id an event seems to come from nowhere."""
    most: int = 0
    """Records beyond which it refuses; 0: any number."""

    async def audit(self, question: Question = Question()) -> Verdict:  # noqa: B008  a frozen value
        """Look; and where something is wrong look again, for a document may have been on its way meanwhile."""
        first = await self._look(question)
        if first.holds:
            return first
        await self.learn()
        second = await self._look(question)
        second.findings = confirmed(second.findings, first.findings)
        return second

    async def _look(self, question: Question) -> Verdict:
        tables = AccountTables(self.database, self.pipeline.name)
        checkpoint, accepted, folded = await tables.checkpoint(), await tables.accepted(), await tables.folded()
        bookkeeper = Bookkeeper(Reader(self.kafka), self.pipeline, self.codec, self.ends, self.most)
        books = await asyncio.to_thread(bookkeeper.read, checkpoint)
        ended = {one.document for one in folded}
        kept = Kept(
            stored=await tables.stored(),
            reviews=await tables.reviews(),
            accepted={document: batch for document, batch in accepted.items() if document not in ended},
            sent=books.sent,
        )
        found = verdict(books.documents, kept, self._flow(), question)
        found.findings += [one for one in books.deleted if question.stage in ("", one.stage)]
        with_folded(found, folded, question)
        return found

    def _flow(self) -> Flow:
        told = any(kind.__name__ == "DocumentResult" for step in self.pipeline.flow for kind in step.source.gives)
        return flow_of(self.pipeline, rejections=told)


def with_folded(found: Verdict, folded: Iterable[Folded], question: Question) -> None:
    """Add what lies before the checkpoint."""
    for one in folded:
        if question.batch in ("", one.batch):
            found.documents += 1
            found.published += one.published
            found.states.update(one.states)
