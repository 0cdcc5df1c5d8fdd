"""How long the last documents took, read from the journal: of each partition of each topic its last entries.

That costs the same however much the journal holds: the table's primary key leads to the last entries of a partition,
and the index of documents from these to their timelines.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from shared.core.expectation import Queue
from shared.core.passes import ASKED, DEAD, STORED, Pass
from shared.database.pool import Database

EACH = 1200
"""Records of each topic that are looked at, shared out over its partitions."""
WINDOW = timedelta(days=7)
"""What is older tells nothing of how things are now."""
LAST = """
with parts as (
    select topic, partition, greatest(%(each)s / count(*) over (partition by topic), 1)::bigint as share
    from journal_positions where pipeline = %(pipeline)s
), last as (
    select distinct e.document_id from parts p cross join lateral (
        select document_id, at from journal_entries
        where pipeline = %(pipeline)s and topic = p.topic and partition = p.partition
        order by "offset" desc limit p.share
    ) e where e.at >= %(since)s and e.document_id <> ''
)
select document_id, at, kind, stage, state, coalesce(detail->>'document_type', '') as document_type
from last join journal_entries using (document_id)
where pipeline = %(pipeline)s and state <> '' and at >= %(since)s
order by document_id, at, depth, topic, partition, "offset"
"""
QUEUES = """
select stage, count(*) filter (where stage <> %(stage)s or at < %(at)s) as ahead, min(at) as oldest
from journal_documents where pipeline = %(pipeline)s and state = 'waiting' group by stage
"""
OVERDUE = """
select document_id, stage, state, topic, at, attempts, failure, message from journal_documents
where pipeline = %(pipeline)s and state in ('waiting', 'in-retry') and stage = %(stage)s and at < %(before)s
order by at, document_id limit %(most)s
"""
OUT = (STORED, DEAD, ASKED)


@dataclass(frozen=True, slots=True)
class Passes:
    """Reads them of one pipeline's journal."""

    database: Database
    """The pool."""
    pipeline: str
    """Whose journal."""

    async def last(self, now: datetime) -> list[Pass]:
        """What the last documents tell."""
        values = {"pipeline": self.pipeline, "each": EACH, "since": now - WINDOW}
        return passes_of(await self.database.rows(LAST, values))

    async def queues(self, stage: str, at: datetime) -> dict[str, Queue]:
        """Stage to what waits there: at the one that is named, what came before that time; elsewhere all."""
        rows = await self.database.rows(QUEUES, {"pipeline": self.pipeline, "stage": stage, "at": at})
        return {row["stage"]: Queue(row["ahead"], row["oldest"]) for row in rows}

    async def overdue(self, stage: str, before: datetime, most: int) -> list[Mapping[str, Any]]:
        """Documents that have waited at a stage, or for a retry there, since before then; the oldest first."""
        values = {"pipeline": self.pipeline, "stage": stage, "before": before, "most": most}
        return list(await self.database.rows(OVERDUE, values))


def passes_of(rows: Iterable[Mapping[str, Any]]) -> list[Pass]:
    """Rows of timelines, document by document in their order, as passes."""
    found: list[Pass] = []
    for document, entries in groupby(rows, key=lambda row: str(row["document_id"])):
        timeline = list(entries)
        kind = max(str(row["document_type"]) for row in timeline)
        left: datetime | None = None
        out: Mapping[str, Any] = {}
        for row in reversed(timeline):
            if row["stage"] and row["kind"] not in OUT:
                found.append(
                    Pass(
                        document_id=document,
                        stage=row["stage"],
                        state=row["state"],
                        document_type=kind,
                        came=row["at"],
                        left=left,
                        out=out.get("at"),
                        way=out.get("kind", ""),
                    )
                )
            left = row["at"]
            out = row if row["kind"] in OUT else out
    return found
