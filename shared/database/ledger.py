"""The table of calls: intents and results of whole batches, one statement each.

Both statements are upserts that answer for every row they were given, under that row's lock and after whatever happens
to it: a separate look-up would answer from before a result that is just being committed. Rows are locked in the order
of their fingerprints, so that two processes never wait for each other in a circle.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, LiteralString, TypeVar

from shared.core.budgets import Budget
from shared.core.errors import Failed
from shared.core.ledger import Begun, Intent, Recorded, Scope, State
from shared.database.pool import Database
from shared.database.results import without_nul

T = TypeVar("T")
A = TypeVar("A")

ASKED = {
    "fingerprint": "text",
    "pipeline": "text",
    "stage": "text",
    "tenant": "text",
    "document_id": "text",
    "document_type": "text",
    "task": "text",
    "model": "text",
    "operation": "text",
    "ticket": "bigint",
    "instance": "text",
    "state": "text",
    "started_at": "timestamptz",
}
"""What is told of an intent, with its types."""

TOLD = ASKED | {
    "result": "text",
    "failure": "text",
    "milliseconds": "bigint",
    "ended_at": "timestamptz",
    "input_tokens": "bigint",
    "output_tokens": "bigint",
    "cached_tokens": "bigint",
    "written_tokens": "bigint",
    "reasoning_tokens": "bigint",
    "failed_input_tokens": "bigint",
    "failed_output_tokens": "bigint",
    "failed_usd": "double precision",
    "unsure_usd": "double precision",
    "cost_usd": "double precision",
    "unsure": "bigint[]",
}
"""What is told of a result."""

NEW = """(c.ticket <> excluded.ticket and c.state <> 'accepted' and not c.ended @> array[excluded.ticket]
    and not (c.state = 'rejected' and c.operation = excluded.operation))"""
"""Whether an intent takes the row."""

BEGIN = f"""
insert into calls as c ({", ".join(ASKED)}, pending)
select {", ".join(name if name != "started_at" else "coalesce(started_at, now())" for name in ASKED)}, array[ticket]
from json_to_recordset(%s::json) as r({", ".join(f"{name} {kind}" for name, kind in ASKED.items())})
order by fingerprint
on conflict (fingerprint) do update set
    {", ".join(f"{name} = case when {NEW} then excluded.{name} else c.{name} end" for name in list(ASKED)[1:])},
    result = case when {NEW} then '' else c.result end,
    failure = case when {NEW} then '' else c.failure end,
    repeat = case when {NEW} then c.state = 'intent' else c.repeat end,
    repeats = c.repeats + ({NEW} and c.state = 'intent')::int,
    pending = case when {NEW} and not c.pending @> excluded.pending then c.pending || excluded.pending
        else c.pending end
returning fingerprint, pipeline, stage, tenant, document_id, document_type, task, model, operation, ticket, state,
    result, failure, milliseconds, repeat, ended
"""

TAKES = "(c.state <> 'accepted' and (excluded.state = 'accepted' or c.ticket = excluded.ticket))"
"""Whether a result takes the row."""
KNOWN = "c.ended @> excluded.ended"
"""Whether the result was told before: after a lost answer, or out of a spool."""
COUNTED = [name for name in TOLD if name.endswith(("_tokens", "_usd"))]
"""Sums over all tries, each ticket once."""
TAKEN = [name for name in TOLD if name not in ("fingerprint", "unsure", *COUNTED)]
"""What a result puts in the place of what stood there."""

END = f"""
with told as (
    select * from json_to_recordset(%s::json) as r({", ".join(f"{name} {kind}" for name, kind in TOLD.items())})
), put as (
    insert into calls as c ({", ".join(TOLD)}, ended)
    select {", ".join(name if not name.endswith("_at") else f"coalesce({name}, now())" for name in TOLD)}, array[ticket]
    from told order by fingerprint
    on conflict (fingerprint) do update set
        {", ".join(f"{name} = case when {TAKES} then excluded.{name} else c.{name} end" for name in TAKEN)},
        {", ".join(f"{name} = case when {KNOWN} then 0 else excluded.{name} end + c.{name}" for name in COUNTED)},
        unsure = case when {KNOWN} then c.unsure else c.unsure || excluded.unsure end,
        pending = array_remove(c.pending, excluded.ticket),
        ended = case when {KNOWN} then c.ended else c.ended || excluded.ended end
    returning *
)
select p.* from put p join told t using (fingerprint) where p.ticket <> t.ticket and p.state = 'accepted'
"""


SPENT: Mapping[str, LiteralString] = {
    "document": "select coalesce(sum(cost_usd), 0) as spent from calls"
    " where pipeline = %(pipeline)s and document_id = %(name)s",
    "tenant": "select coalesce(sum(cost_usd), 0) as spent from calls"
    " where started_at >= %(since)s and tenant = %(name)s",
    "day": "select coalesce(sum(cost_usd), 0) as spent from calls where started_at >= %(since)s",
}
"""Kind of budget to the sum of what was spent of it."""


@dataclass(frozen=True, slots=True)
class CallsTable:
    """Intents and results on PostgreSQL, in batches of different fingerprints."""

    database: Database
    """The pool."""
    instance: str
    """Name of this process."""

    async def begin(self, intents: Sequence[Intent]) -> Sequence[Begun | Failed]:
        """Look up and note; Failed in the place of one that PostgreSQL refuses. Raises Unavailable."""
        found = await self._rows(BEGIN, [self._asked(intent) for intent in intents])
        if isinstance(found, Failed):
            return await apart(self.begin, intents, found)
        return [_begun(intent, found[intent.fingerprint]) for intent in intents]

    async def end(self, records: Sequence[Recorded]) -> Sequence[Recorded | Failed]:
        """Keep results; gives what each caller is to use. Committed when it returns. Raises Unavailable."""
        found = await self._rows(END, [self._told(record) for record in records])
        if isinstance(found, Failed):
            return await apart(self.end, records, found)
        stand = {fingerprint: _record(row) for fingerprint, row in found.items()}
        return [stand.get(record.intent.fingerprint, record) for record in records]

    async def spent(self, budget: Budget) -> float:
        """US dollars that count against a budget: of all its calls that began in its time. Raises Unavailable."""
        rows = await self.database.rows(SPENT[budget.kind], {**asdict(budget)})
        return float(rows[0]["spent"])

    async def _rows(self, statement: str, told: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]] | Failed:
        """The statement's rows by fingerprint, or how PostgreSQL refused one of them: the others must not suffer."""
        text = json.dumps(told)
        if "\\u0000" in text:
            text = json.dumps(without_nul(told))
        try:
            found = await self.database.rows(statement, [text])
        except Failed as refused:
            return refused
        return {row["fingerprint"]: row for row in found}

    def _asked(self, intent: Intent) -> dict[str, Any]:
        scope = intent.scope
        return {
            "fingerprint": intent.fingerprint,
            "pipeline": scope.pipeline,
            "stage": scope.stage,
            "tenant": scope.tenant,
            "document_id": scope.document_id,
            "document_type": intent.document_type,
            "task": intent.task,
            "model": intent.model,
            "operation": scope.operation,
            "ticket": intent.ticket,
            "instance": self.instance,
            "state": "intent",
            "started_at": intent.at.isoformat() if intent.at else None,
        }

    def _told(self, record: Recorded) -> dict[str, Any]:
        failed = record.state is not State.ACCEPTED
        return self._asked(record.intent) | {
            "state": record.state.value,
            "result": record.result,
            "failure": record.failure,
            "milliseconds": record.milliseconds,
            "ended_at": record.at.isoformat() if record.at else None,
            "input_tokens": record.input_tokens,
            "output_tokens": record.output_tokens,
            "cached_tokens": record.cached_tokens,
            "written_tokens": record.written_tokens,
            "reasoning_tokens": record.reasoning_tokens,
            "failed_input_tokens": record.input_tokens if failed else 0,
            "failed_output_tokens": record.output_tokens if failed else 0,
            "failed_usd": record.cost_usd if failed else 0.0,
            "unsure_usd": record.cost_usd if record.unsure else 0.0,
            "cost_usd": record.cost_usd,
            "unsure": [record.intent.ticket] if record.unsure else [],
        }


async def apart(
    run: Callable[[Sequence[T]], Awaitable[Sequence[A | Failed]]], batch: Sequence[T], refused: Failed
) -> Sequence[A | Failed]:
    """What holds a row that PostgreSQL refuses, half by half until that row is alone."""
    if len(batch) == 1:
        return [refused]
    middle = len(batch) // 2
    return [*await run(batch[:middle]), *await run(batch[middle:])]


def _begun(intent: Intent, row: Mapping[str, Any]) -> Begun:
    if intent.ticket in row["ended"]:
        return Begun()
    if row["state"] in (State.ACCEPTED, State.REJECTED):
        return Begun(_record(row))
    return Begun(repeat=row["repeat"])


def _record(row: Mapping[str, Any]) -> Recorded:
    """The try that stands in a row. Its tokens and its cost are in its result: the row has sums over all tries."""
    scope = Scope(row["pipeline"], row["stage"], row["tenant"], row["document_id"], row["operation"])
    name, kind = row["fingerprint"], row["document_type"]
    intent = Intent(name, scope, row["task"], row["model"], row["ticket"], document_type=kind)
    return Recorded(intent, State(row["state"]), row["result"], row["failure"], milliseconds=row["milliseconds"])
