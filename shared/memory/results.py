"""The table of results in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from shared.core.errors import Failed
from shared.core.results import ResultRow


class MemoryResults:
    """`Results` and `StoredResults` of one pipeline."""

    def __init__(self) -> None:
        self._rows: dict[str, ResultRow] = {}

    async def upsert(self, rows: Sequence[ResultRow]) -> Sequence[str | Failed]:
        """Put each row where none as new is there; gives what became of each."""
        return [self._put(row) for row in rows]

    def _put(self, row: ResultRow) -> str:
        standing = self._rows.get(row.document_id)
        if standing is None or standing.version < row.version:
            self._rows[row.document_id] = row
            return row.state
        if standing.version > row.version:
            return "superseded"
        return standing.state if row.stored_by and row.stored_by == standing.stored_by else "deduplicated"

    async def brought(self, events: Sequence[tuple[str, str]]) -> frozenset[str]:
        """Which of these events have brought the row that stands there."""
        standing = {document: row.stored_by for document, row in self._rows.items()}
        return frozenset(event for document, event in events if event and standing.get(document) == event)

    async def find(self, document_id: str) -> Mapping[str, Any] | None:
        """The document's row."""
        row = self._rows.get(document_id)
        return as_mapping(row) if row else None

    async def list(
        self, *, batch_id: str = "", document_type: str = "", limit: int = 100
    ) -> Sequence[Mapping[str, Any]]:
        """Rows, newest first."""
        found = [
            row
            for row in self._rows.values()
            if batch_id in ("", row.batch_id) and document_type in ("", row.document_type)
        ]
        found.sort(key=lambda row: row.document_id)
        found.sort(key=lambda row: row.finished_at, reverse=True)
        return [as_mapping(row) for row in found[:limit]]


def as_mapping(row: ResultRow) -> Mapping[str, Any]:
    """The row as a reader of the table sees it: plain dictionaries and lists."""
    # Not `asdict`: it copies deeply, which a read-only mapping does not allow.
    return {field.name: plain(getattr(row, field.name)) for field in fields(row)}


def plain(value: Any) -> Any:
    """The value as it would come back from a table."""
    match value:
        case Mapping():
            return {key: plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case _:
            return value
