"""What the call ledger tells of cost: of documents that went through, of some documents' own answers, of one document.

Only model calls count: a step of a handler stands in the same table, has no model, and costs nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.core.forecast import Answered, Paid, Spent
from shared.database.pool import Database

WENT_THROUGH = """
    from calls c left join results r on r.pipeline = c.pipeline and r.document_id = c.document_id
    where c.pipeline = %(pipeline)s and c.model <> ''
        and not exists (select from unnest(%(without)s::text[]) as stopped where stopped = c.document_id)
"""

SPENT = f"""
select stage, task, document_type, count(*) as documents, sum(answers)::bigint as calls, sum(cost) as cost from (
    select c.stage, c.task, coalesce(r.document_type, '') as document_type, c.document_id,
        count(*) filter (where c.state = 'accepted') as answers, sum(c.cost_usd) as cost
    {WENT_THROUGH} group by 1, 2, 3, 4
) each where answers > 0 group by 1, 2, 3
"""

THROUGH = f"""
select c.stage, coalesce(r.document_type, '') as document_type,
    count(distinct c.document_id) as documents
{WENT_THROUGH} and c.state = 'accepted' group by 1, 2
"""

STORED = "select document_type, count(*) as documents from results where pipeline = %(pipeline)s group by 1"

ANSWERED = """
select document_id, stage, task, count(*) as answers from calls
where pipeline = %s and document_id = any(%s) and model <> '' and state = 'accepted' group by 1, 2, 3
"""

OF_DOCUMENT = """
select stage, task, model, operation, state, failure, input_tokens, output_tokens, cost_usd, milliseconds,
    started_at, ended_at, repeats
from calls where pipeline = %s and document_id = %s order by started_at, fingerprint
"""


@dataclass(frozen=True, slots=True)
class Costs:
    """Reads the table of calls."""

    database: Database
    """The pool."""
    pipeline: str
    """Whose calls."""

    async def paid(self, without: Collection[str]) -> Paid:
        """What documents cost that went through; those are left out that are known to have stopped half-way."""
        values = {"pipeline": self.pipeline, "without": list(without)}
        spent = await self.database.rows(SPENT, values)
        through = await self.database.rows(THROUGH, values)
        stored = await self.database.rows(STORED, values)
        return Paid(
            tuple(
                Spent(one["stage"], one["task"], one["document_type"], one["documents"], one["calls"], one["cost"])
                for one in spent
            ),
            {(one["stage"], one["document_type"]): one["documents"] for one in through},
            {one["document_type"]: one["documents"] for one in stored},
        )

    async def answered(self, documents: Collection[str]) -> Answered:
        """Answers that are recorded for these documents."""
        rows = await self.database.rows(ANSWERED, [self.pipeline, list(documents)])
        return {(one["document_id"], one["stage"], one["task"]): one["answers"] for one in rows}

    async def calls(self, document_id: str) -> Sequence[Mapping[str, Any]]:
        """Every request that was made for a document, the oldest first."""
        return await self.database.rows(OF_DOCUMENT, [self.pipeline, document_id])
