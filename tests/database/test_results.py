"""The table of results: the newest version stays, and each row of a batch learns what became of it."""

import asyncio
import uuid
from dataclasses import asdict
from types import MappingProxyType

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.core.errors import Failed
from shared.core.failures import Failure
from shared.database.pool import Database, open_database
from shared.database.results import ResultsTable
from tests.database.rows import ROW, row


async def test_a_row_comes_back_as_it_was_stored(database: Database) -> None:
    table = ResultsTable(database, "documents")
    assert await table.upsert([ROW]) == ["stored"]
    found = await table.find("d1")
    assert found is not None
    expected = asdict(ROW) | {"pipeline": "documents", "models": list(ROW.models), "calls": list(ROW.calls)}
    assert dict(found) == expected


async def test_an_unknown_document_is_not_found(database: Database) -> None:
    assert await ResultsTable(database, "documents").find("nobody") is None


async def test_an_older_version_is_superseded_and_a_newer_one_replaces(database: Database) -> None:
    table = ResultsTable(database, "documents")
    assert await table.upsert([row(version=2, summary="second", stored_by="e2")]) == ["stored"]
    assert await table.upsert([row(version=1, summary="first", stored_by="e1")]) == ["superseded"]
    assert await table.upsert([row(version=3, summary="third", stored_by="e3")]) == ["stored"]
    found = await table.find("d1")
    assert found is not None
    assert (found["version"], found["summary"]) == (3, "third")


async def test_the_same_event_delivered_again_after_a_crash_is_stored_not_deduplicated(database: Database) -> None:
    table = ResultsTable(database, "documents")
    batch = [row(document_id="a", stored_by="e1"), row(document_id="b", stored_by="e2")]
    assert await table.upsert(batch) == ["stored", "stored"]
    assert await table.upsert(batch) == ["stored", "stored"]


async def test_another_event_with_the_same_version_is_deduplicated(database: Database) -> None:
    table = ResultsTable(database, "documents")
    assert await table.upsert([row(stored_by="e1")]) == ["stored"]
    assert await table.upsert([row(stored_by="e2")]) == ["deduplicated"]


async def test_events_without_an_id_are_not_taken_for_one_another(database: Database) -> None:
    table = ResultsTable(database, "documents")
    assert await table.upsert([row(stored_by=""), row(stored_by="")]) == ["stored", "deduplicated"]


async def test_a_document_twice_in_one_batch_is_taken_in_order(database: Database) -> None:
    table = ResultsTable(database, "documents")
    batch = [
        row(version=1, stored_by="e1"),
        row(document_id="other", stored_by="e5"),
        row(version=3, stored_by="e3"),
        row(version=2, stored_by="e2"),
        row(version=3, stored_by="e4"),
    ]
    assert await table.upsert(batch) == ["stored", "stored", "stored", "superseded", "deduplicated"]


async def test_a_refused_row_does_not_take_its_neighbours_along(database: Database) -> None:
    table = ResultsTable(database, "documents")
    bad = row(document_id="bad", cost_usd=float("nan"), calls=({"cost_usd": float("nan")},))
    states = await table.upsert([row(document_id="a"), bad, row(document_id="b")])
    assert (states[0], states[2]) == ("stored", "stored")
    refused = states[1]
    assert isinstance(refused, Failed)
    assert refused.failure is Failure.STORE_REJECTED
    assert await table.find("bad") is None
    assert await table.find("b") is not None


async def test_nul_characters_that_postgresql_cannot_hold_are_replaced(database: Database) -> None:
    table = ResultsTable(database, "documents")
    odd = row(summary="a\0b", fields={"k\0": "v\0"}, metadata=MappingProxyType({"m": "\\u0000"}), models=("m\0",))
    assert await table.upsert([odd]) == ["stored"]
    found = await table.find("d1")
    assert found is not None
    assert (found["summary"], found["fields"], found["models"]) == ("a\ufffdb", {"k\ufffd": "v\ufffd"}, ["m\ufffd"])
    assert found["metadata"] == {"m": "\\u0000"}


async def test_text_that_looks_like_sql_or_json_is_only_text(database: Database) -> None:
    table = ResultsTable(database, "documents")
    name = '\'); drop table results; -- %(rows)s {"a": 1} \\'
    assert await table.upsert([row(document_id=name, summary=name)]) == ["stored"]
    found = await table.find(name)
    assert found is not None
    assert found["summary"] == name


async def test_two_pipelines_keep_documents_of_the_same_name_apart(database: Database) -> None:
    mine, other = ResultsTable(database, "documents"), ResultsTable(database, "tickets")
    assert await mine.upsert([row(version=2)]) == ["stored"]
    assert await other.upsert([row(version=1, stored_by="x")]) == ["stored"]
    assert [found["version"] for found in await mine.list()] == [2]
    assert [found["version"] for found in await other.list()] == [1]


async def test_the_list_is_newest_first_and_narrows_by_batch_and_type(database: Database) -> None:
    table = ResultsTable(database, "documents")
    days = [row(document_id=f"d{day}", finished_at=ROW.finished_at.replace(day=day)) for day in (1, 3, 2)]
    days.append(row(document_id="letter", document_type="letter", batch_id="april"))
    await table.upsert(days)
    assert [found["document_id"] for found in await table.list(batch_id="march")] == ["d3", "d2", "d1"]
    assert [found["document_id"] for found in await table.list(document_type="letter")] == ["letter"]
    assert len(await table.list(limit=2)) == 2


async def test_an_empty_batch_asks_nothing(database: Database) -> None:
    assert await ResultsTable(database, "documents").upsert([]) == []


async def test_writers_side_by_side_leave_the_newest_and_store_each_version_once(database: Database) -> None:
    table = ResultsTable(database, "documents")
    names = [f"d{number}" for number in range(20)]

    def batch(version: int) -> list[str]:
        return names if version % 2 else names[::-1]

    answers = await asyncio.gather(
        *(
            table.upsert([row(document_id=n, version=v, stored_by=f"{n}/{v}") for n in batch(v)])
            for v in (3, 1, 4, 2, 4)
        )
    )
    assert {found["version"] for found in await table.list()} == {4}
    assert {state for states in answers for state in states} <= {"stored", "superseded"}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 4)), min_size=1, max_size=12),
    st.integers(1, 5),
)
def test_in_any_order_and_any_batches_the_newest_version_stays_and_each_event_is_stored_once(
    url: str, arrivals: list[tuple[str, int]], size: int
) -> None:
    asyncio.run(check_order(url, f"p{uuid.uuid4()}", arrivals, size))


async def check_order(url: str, pipeline: str, arrivals: list[tuple[str, int]], size: int) -> None:
    """Store the arrivals in batches, and compare with what a plain dictionary would hold."""
    from_model: dict[str, int] = {}
    expected = []
    for name, version in arrivals:
        best = from_model.get(name, 0)
        expected.append("stored" if version > best else "superseded" if version < best else "deduplicated")
        from_model[name] = max(best, version)
    rows = [row(document_id=n, version=v, stored_by=f"e{number}") for number, (n, v) in enumerate(arrivals)]
    async with open_database(url) as database:
        table = ResultsTable(database, pipeline)
        states = [state for at in range(0, len(rows), size) for state in await table.upsert(rows[at : at + size])]
        stored = {found["document_id"]: found["version"] for found in await table.list()}
    assert states == expected
    assert stored == from_model
