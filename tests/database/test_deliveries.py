"""Deliveries and batches in PostgreSQL: noted once, tried until they are delivered or given up, told when finished."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from shared.core.webhooks.notice import Count
from shared.database.deliveries import DeliveriesTable, Message
from shared.database.notices import NoticesTable, Standing
from shared.database.pool import Database
from shared.database.positions import Overtaken

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
INGEST = Standing("b1", "d1", "open", "", "", "acme", NOW, 0, "documents.ingest", 0, 0)
DEAD = replace(
    INGEST, state="dead-lettered", stage="extract", failure="encrypted", at=NOW + timedelta(seconds=1), depth=3,
    topic="documents.extract.dlq",
)  # fmt: skip
REPLAYED = replace(
    INGEST, at=NOW + timedelta(seconds=2), depth=-1, topic="documents.dlq.resolved", tenant=""
)  # fmt: skip
STORED = replace(INGEST, state="stored", at=NOW + timedelta(seconds=3), depth=51, topic="documents.results")


def message(number: int, hook: str = "team") -> Message:
    return Message(hook, f"msg_{number}", "document.stored", f"d{number}", "{}")


async def noted(database: Database, *messages: Message) -> DeliveriesTable:
    table = DeliveriesTable(database, "documents")
    await table.since(sorted({one.hook for one in messages}))
    await NoticesTable(database, "documents").write((), messages, {}, {})
    return table


class Batches:
    """The batches, and what was told of them."""

    def __init__(self, database: Database) -> None:
        self.table = NoticesTable(database, "documents")
        self.told: list[tuple[int, dict[str, int]]] = []
        self.read = 0

    async def comes(self, *facts: Standing) -> None:
        """Records are read."""
        begin: dict[tuple[str, int], int | None] = {("t", 0): self.read or None}
        await self.table.write(facts, (), begin, {("t", 0): self.read + 1})
        self.read += 1

    async def look(self) -> int:
        """Tell what is finished; gives how many."""
        return sum([await self.table.tell(b, 0, {("t", 0): self.read}, self._tell) for b in await self.table.due(0)])

    def _tell(self, batch: str, round_: int, counts: Sequence[Count]) -> list[Message]:
        self.told.append((round_, {count.state: count.documents for count in counts}))
        return [replace(message(round_), subject=batch)]


@pytest.fixture
def batches(database: Database) -> Batches:
    return Batches(database)


async def test_a_message_is_noted_once_and_claimed_by_one(database: Database) -> None:
    table = await noted(database, message(1), message(1), message(2), message(1, "other"))
    await noted(database, message(2))
    found = await asyncio.gather(*(table.claim("team", 60) for _ in range(5)))
    assert sorted(one.id for one in found if one) == ["msg_1", "msg_2"]
    claimed = await table.claim("other", 60)
    assert claimed
    assert claimed.attempts == 1


async def test_what_was_in_hand_at_a_crash_comes_again_and_has_spent_a_try(database: Database) -> None:
    table = await noted(database, message(1))
    assert await table.claim("team", 0)
    again = await table.claim("team", 60)
    assert again
    assert (again.id, again.attempts) == ("msg_1", 2)


async def test_failed_waits_delivered_is_over_and_given_up_can_be_taken_up_again(database: Database) -> None:
    table = await noted(database, *map(message, range(3)))
    later = datetime.now(UTC) + timedelta(hours=1)
    for claimed in [await table.claim("team", 60) for _ in range(3)]:
        assert claimed
        if claimed.id == "msg_0":
            await table.failed("team", claimed.id, "status 500", later)
        elif claimed.id == "msg_1":
            await table.failed("team", claimed.id, "status 410", None)
        else:
            await table.delivered("team", claimed.id)
            await table.delivered("team", claimed.id)
            await table.failed("team", claimed.id, "a slower process", later)
    assert await table.claim("team", 60) is None
    [row] = await table.standing()
    assert (row["waiting"], row["given_up"], row["delivered"], row["failure"]) == (1, 1, 1, "a slower process")
    assert [one["message_id"] for one in await table.given_up("team", 5)] == ["msg_1"]
    assert await table.again("team") == 1
    claimed = await table.claim("team", 60)
    assert claimed
    assert (claimed.id, claimed.attempts) == ("msg_1", 1)


async def test_what_is_too_old_is_given_up_and_later_deleted(database: Database) -> None:
    table = await noted(database, message(1), message(2))
    assert await table.claim("team", 60)
    assert await table.expire("team", 1) == 0
    assert await table.expire("team", 0) == 1, "what is being tried is left alone"
    assert await table.forget(3600, 10) == 0
    assert await table.forget(0, 10) == 1


async def test_positions_of_somebody_else_are_refused_whole(database: Database) -> None:
    table = NoticesTable(database, "documents")
    await table.write((INGEST,), (message(1),), {("t", 0): None}, {("t", 0): 1})
    with pytest.raises(Overtaken):
        await table.write((), (message(2),), {("t", 0): None}, {("t", 0): 2})
    assert await table.positions() == {("t", 0): 1}
    assert await DeliveriesTable(database, "documents").forget(0, 10) == 0
    assert [row["n"] for row in await database.rows("select count(*) as n from webhook_deliveries")] == [1]


async def test_a_batch_is_told_when_its_last_document_has_ended_and_no_sooner(batches: Batches) -> None:
    await batches.comes(INGEST, replace(INGEST, document_id="d2", offset=1))
    assert await batches.look() == 0
    await batches.comes(STORED)
    assert await batches.look() == 0
    await batches.comes(replace(DEAD, document_id="d2"))
    assert await batches.look() == 1
    assert await batches.look() == 0, "once"
    assert batches.told == [(1, {"stored": 1, "dead-lettered": 1})]


@pytest.mark.parametrize("order", [*permutations(range(3))])
async def test_whatever_the_order_of_reading_a_batch_that_is_open_is_not_told(
    batches: Batches, order: Sequence[int]
) -> None:
    """A note of a replay may be read before the dead letter that it is about, and that before the submission."""
    for one in order:
        await batches.comes((INGEST, DEAD, REPLAYED)[one])
    assert await batches.look() == 0
    await batches.comes(STORED)
    assert await batches.look() == 1
    assert batches.told == [(1, {"stored": 1})]


async def test_a_batch_that_a_replay_opened_again_is_told_again_as_the_next_round(batches: Batches) -> None:
    await batches.comes(INGEST, DEAD)
    assert await batches.look() == 1
    await batches.comes(REPLAYED)
    assert await batches.look() == 0
    await batches.comes(STORED)
    assert await batches.look() == 1
    assert batches.told == [(1, {"dead-lettered": 1}), (2, {"stored": 1})]


async def test_a_hundred_reviews_decided_one_by_one_are_told_once(batches: Batches) -> None:
    waiting = [replace(DEAD, document_id=f"d{n}", state="in-review", offset=n) for n in range(5)]
    await batches.comes(*waiting)
    assert await batches.look() == 1
    looks = []
    for one in waiting:
        await batches.comes(replace(STORED, document_id=one.document_id))
        looks.append(await batches.look())
    assert looks == [0, 0, 0, 0, 1]


async def test_what_happens_between_the_look_and_the_telling_is_not_missed(batches: Batches) -> None:
    await batches.comes(STORED)
    assert await batches.table.due(0) == ["b1"]
    await batches.comes(replace(INGEST, document_id="d2"))
    assert not await batches.table.tell("b1", 0, {("t", 0): batches.read}, batches._tell)
    with pytest.raises(Overtaken):
        await batches.table.tell("b1", 0, {("t", 0): batches.read - 1}, batches._tell)


async def test_old_batches_are_forgotten(batches: Batches) -> None:
    await batches.comes(INGEST, replace(STORED, batch_id="b2"))
    assert await batches.table.forget(3600) == 0
    assert await batches.table.forget(0) == 2
    assert await batches.table.due(0) == []
