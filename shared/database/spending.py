"""What was spent, broken down as an operator asks: per document, type, tenant, model, stage, task, day.

The table of calls is the one place that knows every try: also those of processes that are no more, those whose answer
was no use, and those whose answer nobody saw. These last are *unsure*: the provider's bill may have them or not.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, LiteralString

from shared.database.pool import Database

BY: Mapping[str, LiteralString] = {
    "document": "c.document_id",
    "type": "coalesce(nullif(c.document_type, ''), r.document_type, '')",
    "tenant": "c.tenant",
    "model": "c.model",
    "stage": "c.stage",
    "task": "c.task",
    "day": "((c.started_at at time zone 'UTC')::date)::text",
}
"""What it can be broken down by; a request's day is that of its last try."""

IN_FLIGHT_SECONDS = 600.0
"""An intent of so long ago is no call in flight any more: no provider's timeout is as long."""

FLIES: LiteralString = "(c.state = 'intent' and c.started_at > now() - make_interval(secs => %(patience)s))"
SUMS: LiteralString = f"""
    count(distinct c.document_id) as documents,
    sum(cardinality(c.ended))::bigint as calls,
    sum(c.input_tokens)::bigint as input_tokens, sum(c.cached_tokens)::bigint as cached_tokens,
    sum(c.written_tokens)::bigint as written_tokens, sum(c.output_tokens)::bigint as output_tokens,
    sum(c.reasoning_tokens)::bigint as reasoning_tokens,
    sum(c.failed_input_tokens + c.failed_output_tokens)::bigint as failed_tokens,
    sum(c.cost_usd) as cost_usd, sum(c.failed_usd) as failed_usd, sum(c.unsure_usd) as unsure_usd,
    sum(cardinality(c.unsure) + cardinality(c.pending) - {FLIES}::int)::bigint as unsure_calls,
    sum({FLIES}::int)::bigint as in_flight
"""
FROM: LiteralString = """
    from calls c left join results r on r.pipeline = c.pipeline and r.document_id = c.document_id
    where c.pipeline = %(pipeline)s and c.model <> ''
"""
SURE = 9
"""Decimals that are kept: a price per million tokens has no more, and a sum of floats has noise behind them."""

UNSURE: LiteralString = """
select t.ticket, c.document_id, c.stage, c.task, c.model, c.started_at, t.pending
from calls c, lateral (
    select unnest(c.unsure) as ticket, false as pending union all select unnest(c.pending), true
) t
where c.pipeline = %(pipeline)s and c.model <> ''
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the account."""

    of: Mapping[str, str] = field(default_factory=dict)
    """What it is of: each thing that was asked for, and its name."""
    documents: int = 0
    """Documents that calls were made for."""
    calls: int = 0
    """Calls of which the end is known."""
    input_tokens: int = 0
    """Of all requests."""
    cached_tokens: int = 0
    """Of these, those that providers had read before."""
    written_tokens: int = 0
    """Of these, those that they put aside."""
    output_tokens: int = 0
    """Of all answers."""
    reasoning_tokens: int = 0
    """Of these, those that were thought and not said."""
    failed_tokens: int = 0
    """Tokens, both ways, of calls whose answer was no use."""
    cost_usd: float = 0.0
    """US dollars by the prices of each day; all that follows is part of it."""
    failed_usd: float = 0.0
    """Of these, those for answers that were no use."""
    unsure_usd: float = 0.0
    """Of these, those that are our estimate."""
    unsure_calls: int = 0
    """Calls whose answer nobody saw to its end: what the provider charged for them only its bill tells."""
    in_flight: int = 0
    """Calls that are being made now."""

    @property
    def sure_usd(self) -> float:
        """What must stand on the bill, besides whatever the unsure calls were charged at."""
        return round(self.cost_usd - self.unsure_usd, SURE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of which calls."""

    documents: Collection[str] | None = None
    """Only of these."""
    tenant: str = ""
    """Only on this account."""
    since: date | None = None
    """From this day on, UTC."""
    until: date | None = None
    """Up to this day, which belongs to it."""
    patience: float = IN_FLIGHT_SECONDS
    """Seconds for which a call without an end is taken to be in flight."""

    def terms(self) -> tuple[LiteralString, dict[str, Any]]:
        """As a condition with its values."""
        said: LiteralString = ""
        values: dict[str, Any] = {"patience": self.patience}
        if self.documents is not None:
            said, values["documents"] = said + " and c.document_id = any(%(documents)s)", list(self.documents)
        if self.tenant:
            said, values["tenant"] = said + " and c.tenant = %(tenant)s", self.tenant
        if self.since:
            said, values["since"] = said + " and c.started_at >= (%(since)s::date at time zone 'UTC')", self.since
        if self.until:
            said, values["until"] = said + " and c.started_at < ((%(until)s::date + 1) at time zone 'UTC')", self.until
        return said, values


EVERYTHING = Wanted()


@dataclass(frozen=True, slots=True)
class Account:
    """Reads what was spent."""

    database: Database
    """The pool."""
    pipeline: str
    """Whose calls."""

    async def total(self, wanted: Wanted = EVERYTHING) -> Line:
        """All of it on one line."""
        terms, values = wanted.terms()
        [row] = await self.database.rows(f"select {SUMS} {FROM} {terms}", values | {"pipeline": self.pipeline})
        return _line({}, row)

    async def by(self, names: Sequence[str], wanted: Wanted = EVERYTHING, limit: int = 1_000) -> list[Line]:
        """Broken down by these (keys of `BY`), the dearest first; days in their order."""
        terms, values = wanted.terms()
        keys = ", ".join([f"{BY[name]} as by_{place}" for place, name in enumerate(names)])
        groups = ", ".join([str(1 + place) for place in range(len(names))])
        order = "1" if names[0] == "day" else "cost_usd desc, 1"
        statement = f"select {keys}, {SUMS} {FROM} {terms} group by {groups} order by {order} limit %(limit)s"
        rows = await self.database.rows(statement, values | {"pipeline": self.pipeline, "limit": limit})
        return [_line({name: row[f"by_{place}"] for place, name in enumerate(names)}, row) for row in rows]

    async def unsure(self, wanted: Wanted = EVERYTHING) -> Sequence[Mapping[str, Any]]:
        """Each call whose answer nobody saw, or (`pending`) whose end is not known yet, by the time of its last try."""
        terms, values = wanted.terms()
        statement = f"{UNSURE} {terms} order by c.started_at, t.ticket"
        return await self.database.rows(statement, values | {"pipeline": self.pipeline})


def _line(of: Mapping[str, str], row: Mapping[str, Any]) -> Line:
    """A row of sums; those of no rows are null."""
    figures = {name: value or 0 for name, value in row.items() if not name.startswith("by_")}
    return Line(of, **{n: round(value, SURE) if n.endswith("_usd") else value for n, value in figures.items()})
