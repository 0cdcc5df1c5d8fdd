"""The store stage: what it writes, and what it says of each document of a batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import pytest

from services.store.stage import store
from shared.core.context import Blobs, Models
from shared.core.errors import Failed, Unavailable
from shared.core.failures import Failure
from shared.core.outcome import DeadLetter, Emit
from shared.core.results import ResultRow
from tests.store.documents import NOW, STANDARD, SUBMITTED, TECHNICAL

R = TypeVar("R")


@dataclass
class Table:
    """A table of results that answers as it is told."""

    answers: Sequence[str | Failed] = ()
    away: bool = False
    rows: list[ResultRow] = field(default_factory=list)

    async def upsert(self, rows: Sequence[ResultRow]) -> Sequence[str | Failed]:
        """Note the rows."""
        if self.away:
            raise Unavailable("database", "away")
        self.rows += rows
        return self.answers or [row.state for row in rows]


@dataclass
class StoreContext:
    """A context that has a table of results and nothing else."""

    results: Table
    now: datetime = NOW
    attempt: int = 1

    @property
    def blobs(self) -> Blobs:
        """None."""
        raise LookupError("store touches no blobs")

    @property
    def models(self) -> Models:
        """None."""
        raise LookupError("store asks no model")

    def resource(self, kind: type[R]) -> R:
        """None."""
        raise LookupError(kind)


async def test_a_technical_document_is_stored_with_its_analysis_and_what_it_cost() -> None:
    table = Table()
    (outcome,) = await store.call([TECHNICAL], StoreContext(table))
    (result,) = outcome.events
    (row,) = table.rows
    assert (result.state, result.fields, result.quality) == ("stored", {"total": "12,50"}, 0.75)
    assert (result.models, result.cost_usd) == (("large",), 0.75)
    assert (result.submitted_at, result.finished_at) == (SUBMITTED, NOW)
    assert (row.stored_by, row.filename, row.media_type) == ("event-2", "letter.txt", "text/plain")
    assert [call["outcome"] for call in row.calls] == ["refusal", "ok", "ok"]


async def test_a_standard_document_has_no_fields_and_no_quality() -> None:
    table = Table()
    (outcome,) = await store.call([STANDARD], StoreContext(table))
    (result,) = outcome.events
    assert (result.fields, result.quality, result.models, result.cost_usd) == ({}, None, (), 0)
    assert (result.document_type, result.metadata, result.batch_id) == ("letter", {"source": "mail"}, "march")


async def test_each_document_of_a_batch_has_its_own_end() -> None:
    refused = Failed(Failure.STORE_REJECTED, "PostgreSQL refused the row: too odd")
    table = Table(("stored", refused, "superseded", "deduplicated"))
    outcomes = await store.call([TECHNICAL, STANDARD, STANDARD, TECHNICAL], StoreContext(table))
    assert outcomes[1] == DeadLetter(Failure.STORE_REJECTED, refused.message)
    ends = [outcome.events[0] for outcome in outcomes if isinstance(outcome, Emit)]
    assert [(end.state, bool(end.reason)) for end in ends] == [
        ("stored", False),
        ("superseded", True),
        ("deduplicated", True),
    ]


async def test_a_database_that_is_away_is_left_to_the_runtime() -> None:
    with pytest.raises(Unavailable):
        await store.call([TECHNICAL], StoreContext(Table(away=True)))
