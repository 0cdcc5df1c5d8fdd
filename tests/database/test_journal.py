"""The journal's tables: each record once, whatever order and however often, and the same again from nothing."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from shared.core.delivery import Delivery
from shared.core.errors import Unavailable
from shared.core.event import Partition, Position
from shared.core.shelves import shelves
from shared.core.timeline import Entry, entry_of, last
from shared.database.journal import JournalTable
from shared.database.pool import Database, open_database
from shared.database.positions import Overtaken
from shared.pipelines.documents import DOCUMENTS

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SHELVES = shelves(DOCUMENTS, ())
WAY = ("documents.ingest", "documents.classify", "documents.store.retry.5s", "documents.results")


def entry(topic: str, offset: int, document: str, seconds: float, **fields: Any) -> Entry:
    """One entry."""
    record = Delivery(Position(topic, 0, offset), document.encode(), b"x", (), NOW + timedelta(seconds=seconds))
    return replace(entry_of(record, SHELVES[topic], None), **fields)


def ways(documents: int) -> dict[Partition, list[Entry]]:
    """Documents on their way, topic by topic; some hops of a document have the same time."""
    return {
        (topic, 0): [entry(topic, n, f"d{n}", n + hop // 2, batch_id=f"b{n % 3}") for n in range(documents - hop)]
        for hop, topic in enumerate(WAY)
    }


async def write(table: JournalTable, entries: Sequence[Entry]) -> None:
    """Write what follows on what was written."""
    known = await table.positions()
    end = {(one.topic, one.partition): one.offset + 1 for one in entries}
    await table.write(entries, {part: known.get(part) for part in end}, end)


async def told(database: Database) -> list[Any]:
    """Everything in the tables."""
    return [
        [tuple(row.values()) for row in await database.rows(f"select * from {name} order by 1, 2, 3, 4")]  # type: ignore[arg-type]
        for name in ("journal_entries", "journal_documents", "journal_positions")
    ]


async def test_whatever_the_order_of_reading_the_tables_are_the_same(database: Database) -> None:
    table = JournalTable(database, "documents")
    found = []
    for seed in range(4):
        await table.empty()
        chance, left = random.Random(seed), {part: list(entries) for part, entries in ways(40).items()}
        while left:
            part = chance.choice(list(left))
            size = chance.randint(1, 9)
            some, left[part] = left[part][:size], left[part][size:]
            await write(table, some)
            if not left[part]:
                del left[part]
        found.append(await told(database))
    assert found[0] == found[1] == found[2] == found[3]
    entries = [one for some in ways(40).values() for one in some]
    for number in (0, 20, 37, 39):
        known = await table.standing(f"d{number}")
        ours = last(one for one in entries if one.document_id == f"d{number}")
        assert known
        assert ours
        assert (known["state"], known["topic"]) == (ours.state, ours.topic)
    assert await table.states() == {"stored": 37, "in-retry": 1, "waiting": 2}


async def test_what_was_read_from_other_positions_is_refused_whole(database: Database) -> None:
    """Two journals, or one that did not hear that its last commit got through: neither doubles nor skips."""
    table = JournalTable(database, "documents")
    first, second = entry(WAY[0], 0, "d0", 0), entry(WAY[0], 1, "d1", 1)
    part = (WAY[0], 0)
    await table.write([first], {part: None}, {part: 1})
    with pytest.raises(Overtaken, match="somebody else"):
        await table.write([first, second], {part: None}, {part: 2})
    assert await table.positions() == {part: 1}
    await table.write([second], {part: 1}, {part: 2})
    await table.empty()
    with pytest.raises(Overtaken):
        await table.write([entry(WAY[0], 2, "d2", 2)], {part: 2}, {part: 3})
    assert await table.standing("d1") is None


async def test_no_record_can_stop_it(database: Database) -> None:
    table = JournalTable(database, "documents")
    hostile = [
        entry(WAY[0], 0, "nul\0 and \ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"), 0),
        entry(WAY[0], 1, "x" * 1_000_000, 0),
        entry(WAY[0], 2, "", 0),
        entry(WAY[0], 3, "d", 0, message="refused\0by PostgreSQL", detail={"nul": "\0"}),
    ]
    await write(table, hostile)
    rows = await database.rows('select document_id, message from journal_entries order by "offset"')
    assert len(rows) == 4
    assert len(rows[1]["document_id"]) < 500
    assert rows[3] == {"document_id": "d", "message": "PostgreSQL refused its text"}


async def test_dead_letters_are_listed_with_what_was_done_about_them(database: Database) -> None:
    table = JournalTable(database, "documents")
    letters = [entry("documents.extract.dlq", n, f"d{n}", n) for n in range(2)]
    note = Delivery(
        Position("documents.dlq.resolved", 0, 0),
        b"extract/0/1",
        b'{"action": "discarded", "by": "robin", "reason": "hostile", "document_id": "d1", "batch_id": "b1"}',
        (),
        NOW + timedelta(minutes=1),
    )
    resolved = entry_of(note, SHELVES["documents.dlq.resolved"], None)
    await write(table, [resolved, *letters])
    found = await database.rows("select document_id, resolution from journal_dead_letters order by 1")
    assert found == [{"document_id": "d0", "resolution": None}, {"document_id": "d1", "resolution": "discarded"}]
    assert await table.states() == {"dead-lettered": 1, "discarded": 1}
    assert [(row["batch_id"], row["state"], row["documents"]) for row in await table.batches("b1")] == [
        ("b1", "discarded", 1)
    ]


async def test_old_entries_go_in_chunks_and_documents_with_them(database: Database) -> None:
    table = JournalTable(database, "documents")
    for entries in ways(40).values():
        await write(table, entries)
    then = NOW + timedelta(seconds=20)
    gone = [await table.forget(then, 30) for _ in range(4)]
    assert (gone, sum(gone)) == ([30, 30, 18, 0], 78)
    assert await database.rows("select count(*) as n from journal_documents where at < %s", [then]) == [{"n": 0}]
    assert await table.standing("d30")


async def test_postgresql_that_is_too_slow_is_said_and_nothing_is_half_written(url: str) -> None:
    async with open_database(url) as database:
        table = JournalTable(database, "documents")
        with psycopg.connect(url) as other:
            other.execute("lock table journal_entries")
            async with database.work() as connection:
                await connection.execute("set statement_timeout = 300")
            with pytest.raises(Unavailable):
                await write(table, [entry(WAY[0], 0, "d0", 0)])
        assert await table.positions() == {}
        await write(table, [entry(WAY[0], 0, "d0", 0)])
        assert await table.positions() == {(WAY[0], 0): 1}
