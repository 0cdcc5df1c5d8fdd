"""What the journal tells of how long documents took, in whatever order it was written."""

from dataclasses import replace
from datetime import timedelta

from shared.core.passes import Pass
from shared.database.journal import JournalTable
from shared.database.passes import EACH, WINDOW, Passes
from shared.database.pool import Database
from tests.database.test_journal import NOW, entry, write

SOON = NOW + timedelta(minutes=5)


def told(one: Pass) -> tuple[str, str, str, float, float | None, float | None, str]:
    """A pass in seconds since NOW."""
    left, out = ((None if at is None else (at - NOW).total_seconds()) for at in (one.left, one.out))
    return one.stage, one.state, one.document_type, (one.came - NOW).total_seconds(), left, out, one.way


async def test_every_place_of_a_way_is_a_pass_with_what_came_of_it(database: Database) -> None:
    typed = {"document_type": "invoice"}
    way = [
        entry("documents.ingest", 0, "d0", 0),
        entry("documents.classify", 0, "d0", 1),
        replace(entry("documents.store", 0, "d0", 3), detail=typed),
        entry("documents.store.retry.5s", 0, "d0", 4),
        entry("documents.results", 0, "d0", 12),
        entry("documents.ingest", 1, "dead", 1),
        entry("documents.extract.dlq", 0, "dead", 2),
        entry("documents.ingest", 2, "here", 3),
    ]
    journal = Passes(database, "documents")
    await write(JournalTable(database, "documents"), [*reversed(way)])
    found = {one: [told(each) for each in await journal.last(SOON) if each.document_id == one] for one in ("d0",)}
    assert sorted(found["d0"]) == [
        ("classify", "waiting", "invoice", 1, 3, 12, "ended"),
        ("extract", "waiting", "invoice", 0, 1, 12, "ended"),
        ("store", "in-retry", "invoice", 4, 12, 12, "ended"),
        ("store", "waiting", "invoice", 3, 4, 12, "ended"),
    ]
    others = sorted(told(one) for one in await journal.last(SOON) if one.document_id != "d0")
    assert others == [
        ("extract", "waiting", "", 1, 2, 2, "dead-lettered"),
        ("extract", "waiting", "", 3, None, None, ""),
    ]
    assert await journal.last(NOW + WINDOW + timedelta(hours=1)) == []
    assert await Passes(database, "other").last(SOON) == []


async def test_queues_count_who_came_before_and_overdue_names_who_stands(database: Database) -> None:
    table, journal = JournalTable(database, "documents"), Passes(database, "documents")
    await write(table, [entry("documents.ingest", n, f"d{n}", n) for n in range(5)])
    await write(table, [entry("documents.classify", n, f"c{n}", n) for n in range(3)])
    queues = await journal.queues("extract", NOW + timedelta(seconds=2))
    assert {stage: (queue.ahead, queue.oldest) for stage, queue in queues.items()} == {
        "extract": (2, NOW),
        "classify": (3, NOW),
    }
    late = await journal.overdue("extract", NOW + timedelta(seconds=3), 2)
    assert [row["document_id"] for row in late] == ["d0", "d1"]


async def test_what_is_read_is_bounded_whatever_the_journal_holds(database: Database) -> None:
    table = JournalTable(database, "documents")
    await write(table, [entry("documents.ingest", n, f"d{n}", n / 1000) for n in range(EACH + 500)])
    found = await Passes(database, "documents").last(SOON)
    assert len(found) == EACH
    assert min(one.came for one in found) == NOW + timedelta(seconds=0.5)
