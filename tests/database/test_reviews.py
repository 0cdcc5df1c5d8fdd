"""The table of reviews: asked once, decided once, and no decision is ever skipped by the relay."""

import asyncio
from dataclasses import replace

import psycopg
import pytest

from shared.core.errors import Failed
from shared.database.pool import Database, open_database
from shared.database.reviews import ReviewsTable
from shared.ports import ReviewItem
from tests.database.rows import NOW

ITEM = ReviewItem(
    review_id="documents.review/0/7",
    document_id="d1",
    pipeline="documents",
    stage="validate",
    failure="low_quality",
    reason="2 of 4 checks failed",
    proposal=b"\xc3\x01\x00proposal",
    requested_at=NOW,
)


def other(number: int) -> ReviewItem:
    """Another request, a bit later."""
    return replace(ITEM, review_id=f"documents.review/1/{number}", requested_at=NOW.replace(second=number + 1))


async def test_a_request_comes_back_as_it_was_made_and_twice_is_once(database: Database) -> None:
    table = ReviewsTable(database, "documents")
    await table.request([ITEM])
    await table.request([replace(ITEM, reason="another"), other(1)])
    assert await table.waiting(10) == [ITEM, other(1)]
    assert await table.get(ITEM.review_id) == ITEM


async def test_a_decision_is_made_once_and_leaves_the_queue(database: Database) -> None:
    table = ReviewsTable(database, "documents")
    await table.request([ITEM])
    decided = await table.decide(ITEM.review_id, "approve", "ada", "looks right")
    assert decided is not None
    assert (decided.decision, decided.decided_by, decided.note) == ("approve", "ada", "looks right")
    assert decided.sequence > 0
    assert decided.decided_at is not None
    assert await table.decide(ITEM.review_id, "reject", "bob", "") is None
    assert await table.waiting(10) == []
    assert await table.decided_after(0, 10) == [decided]
    assert await table.decided_after(decided.sequence, 10) == []


async def test_those_of_one_document_are_found_decided_or_not(database: Database) -> None:
    table = ReviewsTable(database, "documents")
    await table.request([other(1), ITEM, replace(other(2), document_id="another")])
    decided = await table.decide(ITEM.review_id, "approve", "ada", "")
    assert await table.of(ITEM.document_id) == [decided, other(1)]
    assert await table.of("nobody") == []
    assert await ReviewsTable(database, "others").of(ITEM.document_id) == []


async def test_a_request_repeated_after_its_decision_stays_decided(database: Database) -> None:
    table = ReviewsTable(database, "documents")
    await table.request([ITEM])
    await table.decide(ITEM.review_id, "reject", "ada", "")
    await table.request([ITEM])
    assert await table.waiting(10) == []


async def test_an_unknown_review_cannot_be_decided_nor_that_of_another_pipeline(database: Database) -> None:
    await ReviewsTable(database, "documents").request([ITEM])
    assert await ReviewsTable(database, "tickets").decide(ITEM.review_id, "approve", "ada", "") is None
    assert await ReviewsTable(database, "tickets").get(ITEM.review_id) is None
    assert await ReviewsTable(database, "documents").decide("documents.review/9/9", "approve", "ada", "") is None


async def test_a_decision_that_is_neither_is_refused(database: Database) -> None:
    table = ReviewsTable(database, "documents")
    await table.request([ITEM])
    with pytest.raises(Failed, match="refused"):
        await table.decide(ITEM.review_id, "perhaps", "ada", "")


async def test_ten_people_deciding_the_same_review_make_one_decision(database: Database) -> None:
    table = ReviewsTable(database, "documents")
    await table.request([ITEM])
    answers = await asyncio.gather(*(table.decide(ITEM.review_id, "approve", f"p{n}", "") for n in range(10)))
    assert len([answer for answer in answers if answer]) == 1


async def test_a_decision_waits_for_the_one_before_it_so_that_the_relay_skips_none(url: str) -> None:
    """One decider has its number and has not committed: nobody may commit a higher one meanwhile."""
    async with open_database(url) as database:
        table = ReviewsTable(database, "documents")
        await table.request([ITEM, other(1)])
        with psycopg.connect(url) as slow:
            slow.execute("select pg_advisory_xact_lock(hashtextextended('penstock reviews documents', 0))")
            slow.execute(
                "update reviews set decision = 'approve', sequence = nextval('review_decisions') where review_id = %s",
                [ITEM.review_id],
            )
            fast = asyncio.create_task(table.decide(other(1).review_id, "approve", "bob", ""))
            await asyncio.wait([fast], timeout=0.3)
            assert not fast.done()
            assert await table.decided_after(0, 10) == []
            slow.commit()
        second = await fast
        assert second is not None
        relayed = await table.decided_after(0, 10)
    assert [item.review_id for item in relayed] == [ITEM.review_id, other(1).review_id]


async def test_a_relay_that_reads_while_many_decide_sees_every_decision_in_order(database: Database) -> None:
    table = ReviewsTable(database, "documents")
    items = [other(number) for number in range(40)]
    await table.request(items)
    deciding = [asyncio.create_task(table.decide(item.review_id, "approve", "ada", "")) for item in items]
    seen: list[int] = []
    async with asyncio.timeout(20):
        while len(seen) < len(items):
            seen += [item.sequence for item in await table.decided_after(seen[-1] if seen else 0, 7)]
        await asyncio.gather(*deciding)
    assert seen == sorted(set(seen))
