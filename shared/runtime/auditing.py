"""The audit as it is run: the topics and the tables read in the right order, and every finding looked at twice.

What the ingest door has accepted is read before the topics, for the door publishes first and notes second; results and
reviews are read after them, for these are noted first and told second.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.core.conservation.facts import Finding, Kept
from shared.core.conservation.flow import Flow, flow_of
from shared.core.conservation.folding import add_tally
from shared.core.conservation.verdict import Question, Verdict, confirmed, verdict
from shared.core.event import Partition
from shared.core.graph import Pipeline
from shared.database.accounts import AccountTables, Folded
from shared.database.pool import Database
from shared.kafka.accounts import Bookkeeper, Books
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
        gathered = await self.gather(question.batch)
        found = verdict(gathered.books.documents, gathered.kept, self.flow(), question)
        found.findings += [one for one in gathered.deleted if question.stage in ("", one.stage)]
        for tally, times in gathered.folded.tallies:
            add_tally(found, tally, times)
        if question.stage:
            found.stages = {name: stage for name, stage in found.stages.items() if name == question.stage}
        return found

    async def gather(self, batch: str = "", *, cut: bool = False) -> "Gathered":
        """Everything there is to judge by, read so that a fold or a janitor may go on meanwhile.

        1. what the door has accepted, and the checkpoint
        2. the topics from there on; a record that was folded and deleted since is missing here
        3. at one moment what is kept before the checkpoint as it is now: that record is there, for nothing is deleted
           that is not folded, and whatever was read in 2 and is met again counts once
        4. results and reviews
        `cut`: only the first part of what lies behind the checkpoint.
        """
        tables = AccountTables(self.database, self.pipeline.name)
        accepted, checkpoint = await tables.accepted(), await tables.checkpoint()  # 1
        bookkeeper = Bookkeeper(Reader(self.kafka), self.pipeline, self.codec, self.ends, self.most)
        books = await asyncio.to_thread(bookkeeper.read, checkpoint, cut=cut)  # 2
        named = books.documents.keys() | accepted.keys()
        folded = await tables.folded(named, books.done, batch)  # 3
        books.recall(folded.facts)
        lost = await asyncio.to_thread(bookkeeper.lost, books.behind(folded.checkpoint))
        kept = Kept(  # 4
            stored=await tables.stored(books.documents),
            reviews=await tables.reviews(books.requests()),
            accepted=accepted,
            sent=books.sent,
        )
        return Gathered(checkpoint, books, folded, kept, books.gone(folded.checkpoint, bookkeeper.stages()) + lost)

    def flow(self) -> Flow:
        """The edges of the pipeline."""
        told = any(kind.__name__ == "DocumentResult" for step in self.pipeline.flow for kind in step.source.gives)
        return flow_of(self.pipeline, rejections=told)


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything there is to judge by."""

    checkpoint: Mapping[Partition, int]
    """From where on the topics were read."""
    books: Books
    """Facts of all documents that need a look."""
    folded: Folded
    """What is kept before the checkpoint."""
    kept: Kept
    """What the tables keep."""
    deleted: list[Finding]
    """What is gone that should not be."""
