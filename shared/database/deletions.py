"""What the janitor has deleted: one row a day and partition, so the table grows with the days and not with the work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.core.retention import Cut
from shared.database.pool import Database

NOTE = """
insert into janitor_deletions as d
select %s, (now() at time zone 'utc')::date, topic, number, first, after, %s, now()
from unnest(%s::text[], %s::int[], %s::bigint[], %s::bigint[]) as cut(topic, number, first, after)
on conflict (pipeline, day, topic, partition) do update set "begin" = least(d."begin", excluded."begin"),
    next = greatest(d.next, excluded.next), deleted_by = excluded.deleted_by, deleted_at = excluded.deleted_at
"""
NOTED = """
select day, topic, partition, "begin", next, deleted_by, deleted_at from janitor_deletions
where pipeline = %s order by day desc, topic, partition
"""


@dataclass(frozen=True, slots=True)
class DeletionsTable:
    """Keeps and tells what was deleted of one pipeline."""

    database: Database
    """The pool."""
    pipeline: str
    """Whose records."""

    async def note(self, cuts: Sequence[Cut], by: str) -> None:
        """These are deleted next. Raises Unavailable."""
        columns = [[getattr(one, name) for one in cuts] for name in ("topic", "partition", "begin", "next")]
        async with self.database.work() as connection:
            await connection.execute(NOTE, [self.pipeline, by, *columns])

    async def noted(self) -> Sequence[Mapping[str, Any]]:
        """Everything that was, the newest day first."""
        return await self.database.rows(NOTED, [self.pipeline])
