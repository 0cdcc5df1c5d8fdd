"""What is known of the documents of batches, how far the topics were read, and what follows from both for webhooks.

Facts, messages and positions are one transaction, so whoever is killed when, each end is noted once:
  1. a lock: two processes of a pipeline write one after the other
  2. the positions must be those that the records were read from; if not, somebody else has written
  3. where each document of a batch stands: the later of what is known and of what came
  4. the messages that the ends cause
  5. the new positions; commit
A batch is told in a transaction of the same kind: its round, and the messages of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from shared.core.event import Partition
from shared.core.webhooks.notice import Count, tells
from shared.database.deliveries import Message, add
from shared.database.pool import Connection, Database
from shared.database.positions import Overtaken, positions_of

LOCK = "select pg_advisory_xact_lock(hashtextextended('penstock notify ' || %s, 0))"
POSITIONS = "select topic, partition, next from webhook_positions where pipeline = %s"
MOVE = """
insert into webhook_positions (pipeline, topic, partition, next)
select %s, * from unnest(%s::text[], %s::int[], %s::bigint[])
on conflict (pipeline, topic, partition) do update set next = excluded.next
"""
KEEP = """
with incoming as (
    select * from unnest(%(batch_id)s::text[], %(document_id)s::text[], %(state)s::text[], %(stage)s::text[],
        %(failure)s::text[], %(tenant)s::text[], %(at)s::timestamptz[], %(depth)s::int[], %(topic)s::text[],
        %(partition)s::int[], %(offset)s::bigint[])
    as i (batch_id, document_id, state, stage, failure, tenant, at, depth, topic, partition, "offset")),
latest as (
    select distinct on (batch_id, document_id) * from incoming
    order by batch_id, document_id, at desc, depth desc, topic desc, partition desc, "offset" desc),
kept as (
    insert into webhook_documents as d (pipeline, batch_id, document_id, state, stage, failure, tenant, at, depth,
        topic, partition, "offset")
    select %(pipeline)s, * from latest
    on conflict (pipeline, batch_id, document_id) do update
    set (state, stage, failure, tenant, at, depth, topic, partition, "offset")
        = (excluded.state, excluded.stage, excluded.failure, coalesce(nullif(excluded.tenant, ''), d.tenant),
           excluded.at, excluded.depth, excluded.topic, excluded.partition, excluded."offset")
    where (excluded.at, excluded.depth, excluded.topic, excluded.partition, excluded."offset")
        > (d.at, d.depth, d.topic, d.partition, d."offset")
    returning batch_id)
insert into webhook_batches as b (pipeline, batch_id, changed_at, unsettled, reopened)
select %(pipeline)s, batch_id, clock_timestamp(), true, bool_or(state = 'open')
from incoming where batch_id in (select batch_id from kept) group by batch_id order by batch_id
on conflict (pipeline, batch_id) do update
set changed_at = excluded.changed_at, unsettled = true, reopened = b.reopened or excluded.reopened
"""
RESTS = """
    unsettled and changed_at <= clock_timestamp() - make_interval(secs => %(quiet)s)
    and not exists (select from webhook_documents d
        where d.pipeline = b.pipeline and d.batch_id = b.batch_id and d.state = 'open')
"""
DUE = f"select batch_id from webhook_batches b where pipeline = %(pipeline)s and {RESTS} order by changed_at limit 100"
BATCH = (
    f"select round, reopened from webhook_batches b where pipeline = %(pipeline)s and batch_id = %(batch)s and {RESTS}"
)
COUNTS = """
select state, stage, failure, tenant, count(*) as documents, max(at) as last_at from webhook_documents
where pipeline = %(pipeline)s and batch_id = %(batch)s group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""
SETTLED = """
update webhook_batches set unsettled = false, reopened = reopened and not %(told)s, round = round + %(told)s::int
where pipeline = %(pipeline)s and batch_id = %(batch)s
"""
OLD = """
with old as (
    select batch_id from webhook_batches
    where pipeline = %(pipeline)s and changed_at < clock_timestamp() - make_interval(secs => %(seconds)s) limit 10),
gone as (delete from webhook_documents d using old where d.pipeline = %(pipeline)s and d.batch_id = old.batch_id)
delete from webhook_batches b using old where b.pipeline = %(pipeline)s and b.batch_id = old.batch_id
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a record says of a document of a batch."""

    batch_id: str
    """The batch."""
    document_id: str
    """The document."""
    state: str
    """open, or how it ended."""
    stage: str
    """At which stage it failed or waits."""
    failure: str
    """Its failure class."""
    tenant: str
    """On whose account; empty where the record does not tell."""
    at: datetime
    """When Kafka got the record."""
    depth: int
    """How far down the flow it stands."""
    topic: str
    """Where it stands: topic."""
    partition: int
    """Partition."""
    offset: int
    """Offset."""


Telling = Callable[[str, int, Sequence[Count]], Sequence[Message]]
"""Makes the messages of a batch, its round and its counts."""


@dataclass(frozen=True, slots=True)
class NoticesTable:
    """Reads and writes what one pipeline's webhooks are told."""

    database: Database
    """The pool."""
    pipeline: str
    """Whose documents."""

    async def positions(self) -> dict[Partition, int]:
        """How far each partition was read."""
        return positions_of(await self.database.rows(POSITIONS, [self.pipeline]))

    async def write(
        self,
        facts: Sequence[Standing],
        messages: Sequence[Message],
        begin: Mapping[Partition, int | None],
        end: Mapping[Partition, int],
    ) -> None:
        """Keep what was read from `begin` to `end`. Raises Overtaken, Unavailable."""
        async with self.database.work() as connection, connection.transaction():
            await self._agreed(connection, begin)
            if facts:
                columns = {field.name: [getattr(one, field.name) for one in facts] for field in fields(Standing)}
                await connection.execute(KEEP, {"pipeline": self.pipeline} | columns)  # 3
            await add(connection, self.pipeline, messages)  # 4
            topics, numbers, offsets = [p[0] for p in end], [p[1] for p in end], list(end.values())
            await connection.execute(MOVE, [self.pipeline, topics, numbers, offsets])  # 5

    async def _agreed(self, connection: Connection, positions: Mapping[Partition, int | None]) -> None:
        await connection.execute(LOCK, [self.pipeline])  # 1
        known = positions_of(await (await connection.execute(POSITIONS, [self.pipeline])).fetchall())
        if moved := [part for part, offset in positions.items() if known.get(part) != offset]:  # 2
            raise Overtaken(f"somebody else has read {moved[0][0]}/{moved[0][1]} for the webhooks")

    async def due(self, quiet: float) -> Sequence[str]:
        """Batches of which nothing is on its way, and nothing new came for so many seconds."""
        return [row["batch_id"] for row in await self.database.rows(DUE, {"pipeline": self.pipeline, "quiet": quiet})]

    async def tell(self, batch: str, quiet: float, positions: Mapping[Partition, int], telling: Telling) -> bool:
        """Note that a batch is finished, if it still is; gives whether it is told. Raises Overtaken, Unavailable."""
        values = {"pipeline": self.pipeline, "batch": batch, "quiet": quiet}
        async with self.database.work() as connection, connection.transaction():
            await self._agreed(connection, positions)
            found = await (await connection.execute(BATCH, values)).fetchone()
            if found is None:
                return False
            rows = await (await connection.execute(COUNTS, values)).fetchall()
            counts = [Count(**row) for row in rows]
            told = bool(counts) and tells(found["round"], found["reopened"], counts)
            await connection.execute(SETTLED, values | {"told": told})
            if told:
                await add(connection, self.pipeline, telling(batch, found["round"] + 1, counts))
        return told

    async def forget(self, seconds: float) -> int:
        """Delete what is known of batches of which nothing came for so long, some at once; gives how many."""
        async with self.database.work() as connection:
            return (await connection.execute(OLD, {"pipeline": self.pipeline, "seconds": seconds})).rowcount
