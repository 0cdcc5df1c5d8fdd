"""What every table of results does: a row is replaced by a higher version and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from tests.contract.conftest import KeptResults
from tests.database.rows import NOW, ROW, row


async def test_a_row_comes_back_as_it_was_put(results: KeptResults) -> None:
    assert list(await results.upsert([replace(ROW, metadata=MappingProxyType({"source": "mail"}))])) == ["stored"]
    found = await results.find("d1")
    assert found is not None
    for name in ("document_id", "tenant", "version", "state", "confidence", "fields", "answers", "quality", "metadata"):
        assert found[name] == getattr(ROW, name), name
    assert (found["models"], found["submitted_at"]) == (["sim-large"], NOW)
    assert found["calls"] == [{"model": "sim-large", "cost_usd": 0.0125, "input_tokens": 7}]


async def test_what_is_not_there_is_not_found(results: KeptResults) -> None:
    assert await results.find("d1") is None
    assert list(await results.list()) == []
    assert list(await results.upsert([])) == []


async def test_the_same_event_once_more_is_what_it_was_the_first_time(results: KeptResults) -> None:
    assert list(await results.upsert([ROW])) == ["stored"]
    assert list(await results.upsert([ROW])) == ["stored"]
    rejected = row(document_id="d2", state="rejected")
    assert list(await results.upsert([rejected, rejected])) == ["rejected", "rejected"]


async def test_it_is_known_which_events_have_brought_the_row_that_stands(results: KeptResults) -> None:
    await results.upsert([ROW, row(document_id="d2", stored_by=""), row(document_id="d3", version=1, stored_by="e1")])
    await results.upsert([row(document_id="d3", version=2, stored_by="e2")])
    asked = [("d1", ROW.stored_by), ("d1", "other"), ("d2", ""), ("d3", "e1"), ("d3", "e2"), ("d4", "e4")]
    assert await results.brought(asked) == {ROW.stored_by, "e2"}
    assert await results.brought([]) == frozenset()


async def test_another_event_with_the_same_version_is_a_duplicate(results: KeptResults) -> None:
    await results.upsert([ROW])
    assert list(await results.upsert([row(stored_by="event-2", summary="other")])) == ["deduplicated"]
    assert list(await results.upsert([row(stored_by="")])) == ["deduplicated"]
    found = await results.find("d1")
    assert found is not None
    assert found["summary"] == ROW.summary


async def test_an_older_version_is_superseded_and_a_newer_one_gets_in_within_one_batch_too(
    results: KeptResults,
) -> None:
    batch = [row(version=2, stored_by="e2"), row(version=1, stored_by="e1"), row(version=3, stored_by="e3")]
    assert list(await results.upsert(batch)) == ["stored", "superseded", "stored"]
    found = await results.find("d1")
    assert found is not None
    assert found["version"] == 3


async def test_the_list_is_newest_first_and_can_be_narrowed(results: KeptResults) -> None:
    rows = [row(document_id=f"d{n}", finished_at=NOW + timedelta(minutes=n)) for n in range(3)]
    await results.upsert([*rows, row(document_id="x", batch_id="april", document_type="letter")])

    async def names(**narrowed: object) -> list[str]:
        return [found["document_id"] for found in await results.list(**narrowed)]  # type: ignore[arg-type]

    assert await names() == ["d2", "d1", "d0", "x"]
    assert await names(limit=1) == ["d2"]
    assert await names(batch_id="april") == ["x"]
    assert await names(document_type="invoice", batch_id="march") == ["d2", "d1", "d0"]
