"""The journal's tables of one pipeline: entries, where each document is, and how far each topic was read.

Entries and positions are one transaction, so whatever happens each record is in the journal once:
  1. a lock: journals of the same pipeline, and whoever empties the tables, write one after the other
  2. the positions must be those that the records were read from; if not, somebody else has written or emptied it
  3. COPY into a table of the connection, then insert what is not there yet
  4. where each document is: the later of what stands there and of what came, so the order of reading is no matter
  5. the new positions; commit
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from shared.core.errors import Failed
from shared.core.event import Partition
from shared.core.timeline import Entry
from shared.database.pool import Connection, Database
from shared.database.positions import Overtaken, positions_of

COLUMNS = ("pipeline", *(f'"{field.name}"' if field.name == "offset" else field.name for field in fields(Entry)))
LOCK = "select pg_advisory_xact_lock(hashtextextended('penstock journal ' || %s, 0))"
LIGHT = "set local synchronous_commit = off"
"""What a crash of the server loses is read again, for the positions are lost with it."""
POSITIONS = "select topic, partition, next from journal_positions where pipeline = %s"
INCOMING = "create temp table if not exists journal_incoming (like journal_entries) on commit delete rows"
COPY = f"copy journal_incoming ({', '.join(COLUMNS)}) from stdin"
KEEP = f"""
insert into journal_entries ({", ".join(COLUMNS)}) select {", ".join(COLUMNS)} from journal_incoming
on conflict do nothing
"""
STANDING = ("state", "stage", "failure", "attempts", "message", "at", "depth", "topic", "partition", '"offset"')
ORDER = ("at", "depth", "topic", "partition", '"offset"')
STAND = f"""
insert into journal_documents as d (pipeline, document_id, {", ".join(STANDING)})
select distinct on (document_id) pipeline, document_id, {", ".join(STANDING)}
from journal_incoming where state <> '' and document_id <> ''
order by document_id, {", ".join(f"{one} desc" for one in ORDER)}
on conflict (pipeline, document_id) do update set ({", ".join(STANDING)})
    = ({", ".join(f"excluded.{one}" for one in STANDING)})
where ({", ".join(f"excluded.{one}" for one in ORDER)}) > ({", ".join(f"d.{one}" for one in ORDER)})
"""
MOVE = """
insert into journal_positions (pipeline, topic, partition, next)
select %s, * from unnest(%s::text[], %s::int[], %s::bigint[])
on conflict (pipeline, topic, partition) do update set next = excluded.next
"""
OLD = """
delete from journal_entries where ctid = any(array(
    select ctid from journal_entries where pipeline = %s and at < %s limit %s))
"""
FORGOTTEN = "delete from journal_documents where pipeline = %s and at < %s"
TIMELINE = """
select * from journal_entries where pipeline = %s and document_id = %s
order by at, depth, topic, partition, "offset"
"""
STATES = "select state, count(*) as documents from journal_documents where pipeline = %s group by 1"
BATCHES = """
select batch_id, state, documents, first_at, last_at from journal_batches
where pipeline = %(pipeline)s and (%(batch)s = '' or batch_id = %(batch)s) order by last_at desc, batch_id, state
"""
DOCUMENT = "select * from journal_documents where pipeline = %s and document_id = %s"


@dataclass(frozen=True, slots=True)
class JournalTable:
    """Reads and writes the journal of one pipeline."""

    database: Database
    """The pool."""
    pipeline: str
    """Whose journal."""

    async def positions(self) -> dict[Partition, int]:
        """How far each partition is in the journal."""
        return positions_of(await self.database.rows(POSITIONS, [self.pipeline]))

    async def write(
        self, entries: Sequence[Entry], begin: Mapping[Partition, int | None], end: Mapping[Partition, int]
    ) -> None:
        """Keep what was read from `begin` to `end`. Raises Overtaken, Unavailable.

        What PostgreSQL refuses is kept without its words, for a single record must never stop the journal.
        """
        try:
            await self._write(entries, begin, end)
        except Failed:
            await self._write([bare(entry) for entry in entries], begin, end)

    async def _write(
        self, entries: Sequence[Entry], begin: Mapping[Partition, int | None], end: Mapping[Partition, int]
    ) -> None:
        async with self.database.work() as connection, connection.transaction():
            await connection.execute(LIGHT)
            await connection.execute(LOCK, [self.pipeline])  # 1
            known = positions_of(await (await connection.execute(POSITIONS, [self.pipeline])).fetchall())
            if moved := [part for part, offset in begin.items() if known.get(part) != offset]:  # 2
                raise Overtaken(f"somebody else has written the journal of {moved[0][0]}/{moved[0][1]}")
            await self._copy(connection, entries)  # 3
            await connection.execute(KEEP)
            await connection.execute(STAND)  # 4
            topics, numbers, offsets = [p[0] for p in end], [p[1] for p in end], list(end.values())
            await connection.execute(MOVE, [self.pipeline, topics, numbers, offsets])  # 5

    async def _copy(self, connection: Connection, entries: Sequence[Entry]) -> None:
        await connection.execute(INCOMING)
        async with connection.cursor().copy(COPY) as copy:
            for entry in entries:
                values = [getattr(entry, field.name) for field in fields(Entry)]
                await copy.write_row([self.pipeline, *values[:-1], json.dumps(values[-1], default=str)])

    async def forget(self, before: datetime, most: int) -> int:
        """Delete what is older, at most so many entries at once; gives how many it were."""
        async with self.database.work() as connection:
            deleted = (await connection.execute(OLD, [self.pipeline, before, most])).rowcount
            if deleted < most:
                await connection.execute(FORGOTTEN, [self.pipeline, before])
        return deleted

    async def empty(self) -> None:
        """Forget everything; a running journal notices it, and begins anew."""
        async with self.database.work() as connection, connection.transaction():
            await connection.execute(LOCK, [self.pipeline])
            for table in ("journal_entries", "journal_documents", "journal_positions"):
                await connection.execute(f"delete from {table} where pipeline = %s", [self.pipeline])

    async def timeline(self, document_id: str) -> Sequence[Mapping[str, Any]]:
        """A document's entries in their order."""
        return await self.database.rows(TIMELINE, [self.pipeline, document_id])

    async def standing(self, document_id: str) -> Mapping[str, Any] | None:
        """Where a document is, as far as the journal has read."""
        found = await self.database.rows(DOCUMENT, [self.pipeline, document_id])
        return found[0] if found else None

    async def states(self) -> dict[str, int]:
        """State to number of documents."""
        return {row["state"]: row["documents"] for row in await self.database.rows(STATES, [self.pipeline])}

    async def batches(self, batch: str = "") -> Sequence[Mapping[str, Any]]:
        """How batches stand: a row for each state of each."""
        return await self.database.rows(BATCHES, {"pipeline": self.pipeline, "batch": batch})


def bare(entry: Entry) -> Entry:
    """An entry with nothing in it that anybody could have written."""
    plain = entry.document_id.encode("ascii", "replace").decode()
    return replace(
        entry, document_id=plain, message="PostgreSQL refused its text", detail={}, batch_id="", event_id="", letter=""
    )
