"""What the tables tell an audit, and what it keeps there of documents before its checkpoint.

The checkpoint is, for each partition, the first offset that is not folded. It moves in one transaction with the pages
of the documents whose records it passes:
  1. a lock: folds of the same pipeline write one after the other
  2. the checkpoint must be the one that was read from; if not, somebody else has folded, or emptied the tables
  3. the pages; a page is written whole, and holds what stood on it before
  4. the checkpoint; commit
So whoever is killed, and when, a record is before the checkpoint and on a page, or behind it and on none.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import IsolationLevel

from shared.core.conservation.facts import Decision, Seen
from shared.core.conservation.folding import Page, packed, unpacked
from shared.core.event import Partition
from shared.database.pool import Connection, Database
from shared.database.positions import Overtaken, positions_of
from shared.database.results import without_nul

STORED = "select document_id, version from results where pipeline = %s and document_id = any(%s)"
REVIEWS = """
select review_id, decision, coalesce(sequence, 0) as sequence from reviews where pipeline = %s and review_id = any(%s)
"""
ACCEPTED = """
select document_id, batch_id from submissions s where pipeline = %s and not exists (
    select from audit_documents d where d.pipeline = s.pipeline and d.document_id = s.document_id)
"""
CHECKPOINT = "select topic, partition, next from audit_checkpoints where pipeline = %s"
DIFFERENT = """
select document_id from audit_documents d where pipeline = %(pipeline)s and (not settled
    or document_id = any(%(named)s)
    or (version is not null and not exists (select from results r
        where r.pipeline = d.pipeline and r.document_id = d.document_id and r.version >= d.version))
    or exists (select from unnest(d.reviews) as place where not exists (
        select from reviews r where r.review_id = place)))
"""
LETTERS = "select document_id, letters from audit_documents where pipeline = %s and settled and letters <> '{}'"
OPEN = "select facts from audit_documents where pipeline = %s and not settled"
FACTS = "select facts from audit_documents where pipeline = %s and document_id = any(%s)"
TALLIES = """
select tally, count(*) as times from audit_documents
where pipeline = %(pipeline)s and settled and not document_id = any(%(left_out)s)
    and (%(batch)s = '' or %(batch)s = any(batches)) group by tally
"""
LOCK = "select pg_advisory_xact_lock(hashtextextended('penstock audit ' || %s, 0))"
TURN = """
insert into audit_documents as d
    (pipeline, document_id, settled, batches, tally, letters, reviews, version, facts)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (pipeline, document_id) do update set (settled, batches, tally, letters, reviews, version, facts)
    = (excluded.settled, excluded.batches, excluded.tally, excluded.letters, excluded.reviews, excluded.version,
        excluded.facts)
"""
MOVE = """
insert into audit_checkpoints select %s, * from unnest(%s::text[], %s::int[], %s::bigint[])
on conflict (pipeline, topic, partition) do update set next = excluded.next
"""
NAME = 500
"""Letters of a name that are kept as they are: an index takes 2,704 bytes."""
SOME = 1000
"""Pages that are sent at once."""


@dataclass(frozen=True, slots=True)
class Folded:
    """What is kept before the checkpoint, as it stood at one moment."""

    checkpoint: Mapping[Partition, int]
    """Partition to the first offset that is not folded."""
    facts: Sequence[Seen]
    """Of documents that need a look."""
    tallies: Sequence[tuple[Mapping[str, int], int]]
    """What all the others add, each with how many add it."""


@dataclass(frozen=True, slots=True)
class AccountTables:
    """Reads and writes the tables of one pipeline."""

    database: Database
    """The pool."""
    pipeline: str
    """Whose documents."""

    async def stored(self, documents: Collection[str]) -> dict[str, int]:
        """Document to the version of its row."""
        rows = await self.database.rows(STORED, [self.pipeline, plain(documents)])
        return {row["document_id"]: row["version"] for row in rows}

    async def reviews(self, places: Collection[str]) -> dict[str, Decision]:
        """Place of each of these requests to what was decided."""
        rows = await self.database.rows(REVIEWS, [self.pipeline, list(places)])
        return {row["review_id"]: Decision(row["decision"], row["sequence"]) for row in rows}

    async def accepted(self) -> dict[str, str]:
        """Documents that the ingest door has accepted and nobody has folded, each with its batch."""
        rows = await self.database.rows(ACCEPTED, [self.pipeline])
        return {row["document_id"]: row["batch_id"] for row in rows}

    async def checkpoint(self) -> dict[Partition, int]:
        """Partition to the first offset that is not folded."""
        return positions_of(await self.database.rows(CHECKPOINT, [self.pipeline]))

    async def folded(self, named: Collection[str], letters: Mapping[str, str], batch: str) -> Folded:
        """What is kept, at one moment: facts of the named documents, of open ones, and of those that differ from it."""
        async with self._moment() as connection:
            return await self._folded(connection, [column(one) for one in named], letters, batch)

    async def unsettled(self) -> Folded:
        """The checkpoint at one moment, and the facts of all documents that are not settled."""
        async with self._moment() as connection:
            rows = await (await connection.execute(OPEN, [self.pipeline])).fetchall()
            checkpoint = positions_of(await (await connection.execute(CHECKPOINT, [self.pipeline])).fetchall())
        return Folded(checkpoint, [seen for row in rows for seen in unpacked(row["facts"])], ())

    @asynccontextmanager
    async def _moment(self) -> AsyncIterator[Connection]:
        """A connection to which nothing changes."""
        async with self.database.work() as connection:
            await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
            try:
                async with connection.transaction():
                    yield connection
            finally:
                await connection.set_isolation_level(None)

    async def _folded(
        self, connection: Connection, named: Sequence[str], letters: Mapping[str, str], batch: str
    ) -> Folded:
        async def ask(statement: LiteralString, values: Any) -> Sequence[Mapping[str, Any]]:
            return await (await connection.execute(statement, values)).fetchall()

        checkpoint = positions_of(await ask(CHECKPOINT, [self.pipeline]))
        different = await ask(DIFFERENT, {"pipeline": self.pipeline, "named": named})
        wanted = {row["document_id"] for row in different}
        for row in await ask(LETTERS, [self.pipeline]):
            if any(letters.get(place, "") != action for place, action in row["letters"].items()):
                wanted.add(row["document_id"])
        facts = await ask(FACTS, [self.pipeline, list(wanted)])
        tallies = await ask(TALLIES, {"pipeline": self.pipeline, "left_out": list(wanted), "batch": batch})
        return Folded(
            checkpoint,
            [seen for row in facts for seen in unpacked(row["facts"])],
            [(row["tally"], row["times"]) for row in tallies],
        )

    async def fold(self, begin: Mapping[Partition, int], end: Mapping[Partition, int], pages: Sequence[Page]) -> None:
        """Move the checkpoint. Raises Overtaken, Unavailable."""
        async with self.database.work() as connection, connection.transaction():
            await connection.execute(LOCK, [self.pipeline])  # 1
            known = positions_of(await (await connection.execute(CHECKPOINT, [self.pipeline])).fetchall())
            if known != begin:  # 2
                raise Overtaken(f"somebody else has moved the checkpoint of {self.pipeline}, or emptied it")
            for some in chunked(pages):  # 3
                await connection.cursor().executemany(TURN, [self._row(page) for page in some])
            topics, numbers, offsets = [p[0] for p in end], [p[1] for p in end], list(end.values())
            await connection.execute(MOVE, [self.pipeline, topics, numbers, offsets])  # 4

    def _row(self, page: Page) -> Sequence[Any]:
        tally, letters = (json.dumps(without_nul(dict(one))) for one in (page.tally, page.letters))
        batches, reviews = without_nul(page.batches), list(page.reviews)
        name = column(page.document)
        return [self.pipeline, name, page.settled, batches, tally, letters, reviews, page.version, packed(page.facts)]


def plain(documents: Collection[str]) -> list[str]:
    """Those that PostgreSQL can hold: of the others it has nothing."""
    return [one for one in documents if "\0" not in one]


def column(document: str) -> str:
    """A document's name as it is kept: a key can be anything and of any length, and two must not share a page."""
    if "\0" not in document and len(document) <= NAME:
        return document
    return f"{without_nul(document[:NAME])} {hashlib.sha256(document.encode()).hexdigest()}"


def chunked(pages: Sequence[Page]) -> Iterator[Sequence[Page]]:
    """Some at a time."""
    return (pages[start : start + SOME] for start in range(0, len(pages), SOME))
