"""The table of results of one pipeline: written by `store` and by review decisions, read by doors and commands."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.core.errors import Failed, Unavailable
from shared.core.results import ResultRow
from shared.database.errors import NAME
from shared.database.pool import Database

COLUMNS = {
    "document_id": "text",
    "tenant": "text",
    "version": "bigint",
    "batch_id": "text",
    "state": "text",
    "document_type": "text",
    "track": "text",
    "confidence": "double precision",
    "fields": "jsonb",
    "summary": "text",
    "answers": "jsonb",
    "quality": "double precision",
    "models": "text[]",
    "cost_usd": "double precision",
    "calls": "jsonb",
    "reason": "text",
    "filename": "text",
    "media_type": "text",
    "metadata": "jsonb",
    "submitted_at": "timestamptz",
    "finished_at": "timestamptz",
    "stored_by": "text",
}
"""The fields of a `ResultRow` as columns, with their types; beside them stands the pipeline."""

UPSERT = f"""
insert into results (pipeline, {", ".join(COLUMNS)})
select %(pipeline)s, r.* from json_to_recordset(%(rows)s::json)
    as r({", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())})
on conflict (pipeline, document_id) do update
set ({", ".join(COLUMNS)}) = ({", ".join(f"excluded.{name}" for name in COLUMNS)})
where excluded.version > results.version
returning document_id
"""

STANDING = """
select document_id, version, state, stored_by from results where pipeline = %s and document_id = any(%s)
"""

FIND = "select * from results where pipeline = %s and document_id = %s"

LIST = """
select * from results
where pipeline = %(pipeline)s
  and (%(batch_id)s = '' or batch_id = %(batch_id)s)
  and (%(document_type)s = '' or document_type = %(document_type)s)
order by finished_at desc, document_id limit %(limit)s
"""


@dataclass(frozen=True, slots=True)
class ResultsTable:
    """`Results` and `StoredResults` on PostgreSQL."""

    database: Database
    """The pool."""
    pipeline: str
    """Whose results; another pipeline's documents of the same name are other rows."""

    async def upsert(self, rows: Sequence[ResultRow]) -> Sequence[str | Failed]:
        """See `Results.upsert`. One statement a batch, unless it brings a document twice or a row is refused."""
        states: list[str | Failed] = [""] * len(rows)
        for numbers in rounds(rows):
            batch = [rows[number] for number in numbers]
            for number, state in zip(numbers, await self._each(batch), strict=True):
                states[number] = state
        return states

    async def _each(self, rows: Sequence[ResultRow]) -> Sequence[str | Failed]:
        """The batch at once; where PostgreSQL refuses it, row by row, so that a bad row stands alone."""
        try:
            return await self._together(rows)
        except Failed as refused:
            if len(rows) == 1:
                return [refused]
        return [state for row in rows for state in await self._each([row])]

    async def _together(self, rows: Sequence[ResultRow]) -> Sequence[str]:
        """Different documents in one statement."""
        values = {"pipeline": self.pipeline, "rows": as_json(rows)}
        written = {row["document_id"] for row in await self.database.rows(UPSERT, values)}
        others = [row.document_id for row in rows if row.document_id not in written]
        found = await self.database.rows(STANDING, [self.pipeline, others]) if others else []
        standing = {row["document_id"]: row for row in found}
        return [row.state if row.document_id in written else beside(row, standing.get(row.document_id)) for row in rows]

    async def brought(self, events: Sequence[tuple[str, str]]) -> frozenset[str]:
        """See `Results.brought`."""
        rows = await self.database.rows(STANDING, [self.pipeline, [document for document, _ in events]])
        standing = {row["document_id"]: row["stored_by"] for row in rows}
        return frozenset(event for document, event in events if event and standing.get(document) == event)

    async def find(self, document_id: str) -> Mapping[str, Any] | None:
        """The document's row."""
        found = await self.database.rows(FIND, [self.pipeline, document_id])
        return found[0] if found else None

    async def list(
        self, *, batch_id: str = "", document_type: str = "", limit: int = 100
    ) -> Sequence[Mapping[str, Any]]:
        """Rows, newest first."""
        values = {"pipeline": self.pipeline, "batch_id": batch_id, "document_type": document_type, "limit": limit}
        return await self.database.rows(LIST, values)


def rounds(rows: Sequence[ResultRow]) -> Sequence[Sequence[int]]:
    """Row numbers in rounds that hold no document twice: one statement cannot touch a row twice.

    Within a round documents stand in order, so that two processes take the row locks in the same order.
    """
    found: list[list[int]] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows):
        turn = seen[row.document_id] = seen.get(row.document_id, -1) + 1
        if turn == len(found):
            found.append([])
        found[turn].append(number)
    return [sorted(numbers, key=lambda number: rows[number].document_id) for numbers in found]


def beside(row: ResultRow, standing: Mapping[str, Any] | None) -> str:
    """What became of a row that did not get in, given the one that stands."""
    if standing is None or standing["version"] < row.version:
        # Only an operator who deletes rows can bring this about; the next try finds the place free.
        raise Unavailable(NAME, f"the row of {row.document_id} was deleted while it was written", after=0.0)
    if standing["version"] > row.version:
        return "superseded"
    return str(standing["state"]) if row.stored_by and standing["stored_by"] == row.stored_by else "deduplicated"


def as_json(rows: Sequence[ResultRow]) -> str:
    """The rows as one parameter. PostgreSQL's text holds no NUL character: U+FFFD stands in its place."""
    # Not `asdict`: it copies deeply, which a read-only mapping does not allow.
    records = [{name: getattr(row, name) for name in COLUMNS} for row in rows]
    text = json.dumps(records, default=plain)
    return text if "\\u0000" not in text else json.dumps(without_nul(records), default=plain)


def plain(value: Any) -> Any:
    """What JSON does not know by itself."""
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value)


def without_nul(value: Any) -> Any:
    """The same value with every NUL character replaced."""
    match value:
        case str():
            return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
        case Mapping():
            return {without_nul(key): without_nul(inner) for key, inner in value.items()}
        case list() | tuple():
            return [without_nul(inner) for inner in value]
        case _:
            return value
