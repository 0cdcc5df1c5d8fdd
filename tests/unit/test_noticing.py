"""When a batch is told: not before everything that was written until then has been read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.core.delivery import Delivery
from shared.core.errors import Failed, Unavailable
from shared.core.event import Partition, Position
from shared.core.failures import Failure
from shared.core.shelves import Kind, doors
from shared.core.timeline import DISCARDED, Entry
from shared.core.webhooks.notice import OPEN
from shared.database.notices import NoticesTable
from shared.kafka.dead_letters import REPLAYED
from shared.kafka.reading import Reader, Span
from shared.pipelines.documents import DOCUMENTS
from shared.runtime.notifying.news import News
from shared.runtime.notifying.noticing import Noticing, fact_of
from shared.runtime.tailing import Reading

INGEST, RESULTS = ("documents.ingest", 0), ("documents.results", 0)


@dataclass
class Table:
    """Batches that seem to be finished, and those that were told."""

    due_now: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    async def due(self, quiet: float) -> list[str]:
        return self.due_now

    async def tell(self, batch: str, quiet: float, positions: Mapping[Partition, int], telling: Any) -> bool:
        self.told.append(batch)
        return True


@dataclass
class Ends:
    """Where the topics end."""

    ends: Mapping[Partition, int]

    def spans(self, topics: Any) -> dict[Partition, Span]:
        return {part: Span(0, end) for part, end in self.ends.items()}


def noticing(table: Table) -> Noticing:
    nothing = cast(Any, None)
    return Noticing(
        life=nothing,
        pipeline=DOCUMENTS,
        reading=Reading(nothing, nothing, doors(DOCUMENTS, ())),
        table=cast(NoticesTable, table),
        metrics=nothing,
        hooks=(),
        since={},
        kafka={},
        news=News(),
        _followed=frozenset((INGEST, RESULTS)),
    )


async def test_a_batch_is_told_when_all_topics_are_read_to_where_they_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.runtime.notifying.noticing.LOOK_SECONDS", 0)
    table = Table(["b1"])
    one = noticing(table)
    reader = cast(Reader, Ends({INGEST: 10, RESULTS: 5}))
    one._positions = {INGEST: 7, RESULTS: 5}
    await one._batches(reader, {})
    await one._batches(reader, {INGEST: 9})
    assert table.told == []
    # It ends with a marker: no record is at 9, and the client says that the end was reached.
    await one._batches(reader, {INGEST: 10})
    assert table.told == ["b1"]


async def test_a_topic_that_goes_on_growing_keeps_no_batch_from_being_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.runtime.notifying.noticing.LOOK_SECONDS", 0)
    table = Table(["b1"])
    one = noticing(table)
    for end in range(10, 20, 2):
        one._positions = {INGEST: end - 1}
        await one._batches(cast(Reader, Ends({INGEST: end})), {})
    assert table.told


async def test_a_partition_that_is_not_read_yet_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.runtime.notifying.noticing.LOOK_SECONDS", 0)
    one = noticing(Table(["b1"]))
    with pytest.raises(Unavailable, match="more partitions"):
        await one._batches(cast(Reader, Ends({("documents.ingest", 1): 0})), {})


def test_only_the_doors_are_followed() -> None:
    names = doors(DOCUMENTS, ())
    assert "documents.ingest" in names
    assert {"documents.results", "documents.review", "documents.store.dlq", "documents.dlq.resolved"} <= names.keys()
    assert not {"documents.classify", "documents.store.parked", "documents.store.retry.5s"} & names.keys()


def entry(**changes: Any) -> Entry:
    told = {"kind": "arrived", "state": "waiting", "document_id": "d1", "batch_id": "b1", "detail": {"tenant": "acme"}}
    place = {"topic": "documents.ingest", "partition": 0, "offset": 1, "at": datetime.now(UTC), "depth": 40}
    return Entry(**cast(Any, place | told | changes))


def test_what_records_say_of_a_batch() -> None:
    came = fact_of(entry(), Kind.INPUT)
    assert came
    assert (came.state, came.tenant, came.depth) == (OPEN, "acme", 40)
    dead = fact_of(entry(state="dead-lettered", failure="encrypted", stage="extract"), Kind.LETTER)
    assert dead
    assert (dead.state, dead.failure, dead.stage) == ("dead-lettered", "encrypted", "extract")
    replayed = fact_of(entry(kind="resolved", state="", detail={"action": REPLAYED}), Kind.NOTE)
    assert replayed
    assert (replayed.state, replayed.depth) == (OPEN, -1)
    assert fact_of(entry(detail={"action": DISCARDED}), Kind.NOTE) is None
    assert fact_of(entry(batch_id=""), Kind.RESULT) is None
    assert fact_of(entry(document_id=""), Kind.RESULT) is None


class Refusing:
    """A table that takes everything but what stands at one place."""

    def __init__(self, refused: int) -> None:
        self.refused, self.kept = refused, dict[Partition, int]()

    async def write(self, facts: Any, messages: Any, begin: Mapping[Partition, Any], end: dict[Partition, int]) -> None:
        assert begin == {part: self.kept.get(part) for part in end}
        if messages and (begin[RESULTS] or 0) <= self.refused < end[RESULTS]:
            raise Failed(Failure.STORE_REJECTED, "PostgreSQL refused the row")
        self.kept |= end


async def test_a_record_that_postgresql_refuses_is_passed_over_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Noticing, "_of_document", lambda self, entry: [entry])
    table, troubles = Refusing(3), list[str]()
    gauge = SimpleNamespace(set=lambda value: None)
    metrics = SimpleNamespace(trouble=troubles.append, notify_behind=lambda: gauge)
    one = replace(
        noticing(Table()),
        table=cast(Any, table),
        metrics=cast(Any, metrics),
        reading=Reading(cast(Any, SimpleNamespace(missing=())), cast(Any, None), doors(DOCUMENTS, ())),
    )
    now = datetime.now(UTC)
    await one._keep([Delivery(Position(*RESULTS, offset), b"d1", None, (), now) for offset in range(8)])
    assert table.kept == {RESULTS: 8}
    assert len(troubles) == 1
    assert troubles[0].startswith("documents.results/0/3 ")
