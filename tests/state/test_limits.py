"""Processes that share a limit through Redis: together never above it, and alone with a part of it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from shared.core.limits import WindowPolicy
from shared.limit_port import Reserved, Turn, Used
from shared.runtime.flow.slots import Slots
from shared.state.limits import RedisLimits
from shared.state.line import WaitPolicy
from tests.state.server import OwnRedis
from tests.state.waiting import until

POLICY = WindowPolicy(window=3_000, parts=60)
TURN = Turn("model:a", (400, 40_000), 100)
PATIENT = WaitPolicy(patience=60)
Join = Callable[..., Awaitable[RedisLimits]]


@pytest.fixture
async def join() -> AsyncIterator[Join]:
    """Open members of one registry of the test's own; all are closed at its end."""
    prefix = f"test:{uuid.uuid4().hex}:"
    async with AsyncExitStack() as members:

        async def open_member(url: str, who: str, waits: WaitPolicy = PATIENT) -> RedisLimits:
            return await members.enter_async_context(RedisLimits(url, POLICY, who, waits, prefix))

        yield open_member


async def tried(limits: RedisLimits, count: int, turn: Turn = TURN, within: float = 1.0) -> list[Reserved]:
    """Those of so many calls at once that may be made at once."""
    asked = [asyncio.create_task(limits.reserve(turn)) for _ in range(count)]
    done, late = await asyncio.wait(asked, timeout=within)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return [task.result() for task in done if task.result().after is None]


async def test_two_processes_together_keep_to_the_limit(redis_url: str, join: Join) -> None:
    one, two = await join(redis_url, "one"), await join(redis_url, "two")
    made = await asyncio.gather(tried(one, 30), tried(two, 30))
    assert sum(map(len, made)) == 20


async def test_what_a_call_did_not_use_is_there_for_another_process(redis_url: str, join: Join) -> None:
    one, two = await join(redis_url, "one"), await join(redis_url, "two")
    turn = replace(TURN, tokens=2_000)
    (reserved,) = await tried(one, 1, turn)
    assert not await tried(two, 1, turn, within=0.5)
    one.settle(reserved, Used(100, 100, 10))
    assert len(await tried(two, 18)) == 18
    assert not await tried(two, 1, within=0.3)


async def test_a_call_that_was_not_made_leaves_nothing_behind(redis_url: str, join: Join) -> None:
    one, two = await join(redis_url, "one"), await join(redis_url, "two")
    for reserved in await tried(one, 20):
        one.settle(reserved, None)
    assert len(await tried(two, 20)) == 20


async def test_a_word_of_the_provider_holds_all_processes(redis_url: str, join: Join) -> None:
    one, two = await join(redis_url, "one"), await join(redis_url, "two")
    free = Turn("model:free", (0, 0), 100)
    for member in (one, two):
        await tried(member, 1, free)
    one.hold(free, 300)

    async def refused() -> bool:
        return (await two.reserve(free)).after is not None

    await until(refused)
    after = (await one.reserve(free)).after
    assert after is not None
    assert 200 < after <= 300


async def test_a_refused_call_is_told_when_to_come_again(redis_url: str, join: Join) -> None:
    one = await join(redis_url, "one", WaitPolicy(patience=0.5))
    made = await tried(one, 20)
    for reserved in made:
        one.settle(reserved, Used(50, 50, 5))
    assert not await tried(one, 1, within=0.3)
    after = (await one.reserve(TURN)).after
    assert after is not None
    assert 1.5 < after < 3.5


async def test_a_call_waits_its_turn_and_is_made(redis_url: str, join: Join) -> None:
    one = await join(redis_url, "one")
    for reserved in await tried(one, 20):
        one.settle(reserved, Used(50, 50, 5))
    assert len(await tried(one, 3, within=5.0)) == 3


async def test_a_call_that_waits_gives_its_slot_up_and_one_cancelled_before_it_has_a_slot_again_uses_nothing(
    redis_url: str, join: Join
) -> None:
    slots = Slots(1)
    one = await join(redis_url, "one", WaitPolicy(patience=60, aside=slots.until))
    turn = replace(TURN, tokens=2_000)
    assert slots.take()
    first = await one.reserve(turn)
    waits = asyncio.create_task(one.reserve(turn))
    await until(lambda: slots.aside)
    assert slots.take(), "another document goes on in its place"
    one.settle(first, None)
    await until(lambda: not slots.aside)
    waits.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waits
    slots.give()
    slots.give()
    assert slots.take()
    assert (await one.reserve(turn)).after is None


async def test_as_many_calls_wait_as_may_for_all_limits_together(redis_url: str, join: Join) -> None:
    one = await join(redis_url, "one", WaitPolicy(patience=60, most=2))
    other = replace(TURN, limit="model:b", tokens=2_000)
    for turn in (replace(TURN, tokens=2_000), other):
        assert await tried(one, 1, turn)
    waiting = [asyncio.create_task(one.reserve(replace(TURN, tokens=2_000))) for _ in range(2)]
    await until(lambda: one._lines[TURN.limit]._full)
    waiting.append(asyncio.create_task(one.reserve(other)))  # nothing is known yet of how full it is
    await until(lambda: one._lines["model:b"]._full)
    assert (await one.reserve(other)).after is not None
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_process_tells_how_its_limits_stand(redis_url: str, join: Join) -> None:
    one = await join(redis_url, "one")
    first, *_ = await tried(one, 3)
    one.settle(first, Used(40, 20, 5))
    waits = asyncio.create_task(one.reserve(replace(TURN, tokens=2_000)))
    await until(lambda: one._lines[TURN.limit]._full)
    [report] = one.reports()
    assert (report.name, report.most) == ("model:a", (20, 2_000))
    assert (report.reserved, report.used, report.waiting, report.workers) == ((2, 200), (1, 60), 1, 1)
    waits.cancel()


async def test_without_redis_each_process_keeps_to_its_part(own_redis: OwnRedis, join: Join) -> None:
    one, two = await join(own_redis.url, "one"), await join(own_redis.url, "two")
    for member in (one, two):
        for reserved in await tried(member, 1):
            member.settle(reserved, None)
    await until(lambda: one.workers == two.workers == 2)
    own_redis.kill()
    await until(lambda: "away" in one.health and "2 known workers" in one.health)
    await until(lambda: "away" in two.health)
    made = await asyncio.gather(tried(one, 30), tried(two, 30))
    assert [len(granted) for granted in made] == [10, 10]


async def test_a_registry_that_comes_back_empty_is_told_what_was_used(own_redis: OwnRedis, join: Join) -> None:
    one, two = await join(own_redis.url, "one"), await join(own_redis.url, "two")
    made = await asyncio.gather(tried(one, 8), tried(two, 8))
    assert [len(granted) for granted in made] == [8, 8]
    await until(lambda: one.workers == two.workers == 2)
    own_redis.kill()
    await until(lambda: one.health and two.health)
    own_redis.start()
    await until(lambda: not one.health and not two.health)
    more = await asyncio.gather(tried(one, 20, within=4.0), tried(two, 20, within=4.0))
    assert sum(map(len, more)) == 4


async def test_a_registry_that_was_emptied_loses_nothing(own_redis: OwnRedis, join: Join) -> None:
    one, two = await join(own_redis.url, "one"), await join(own_redis.url, "two")
    await asyncio.gather(tried(one, 8), tried(two, 8))
    await until(lambda: one.workers == two.workers == 2)
    own_redis.empty()
    more = await asyncio.gather(tried(one, 20, within=4.0), tried(two, 20, within=4.0))
    assert sum(map(len, more)) == 4


async def test_what_a_killed_process_had_in_flight_is_free_again_in_time(redis_url: str, join: Join) -> None:
    """Its calls may have been made, so they count for a window more, and no longer."""
    one, two = await join(redis_url, "one"), await join(redis_url, "two")
    assert len(await tried(one, 20)) == 20
    assert one._task is not None
    one._task.cancel()  # it says nothing more, as a killed process does
    await until(lambda: not one.healthy)

    async def free() -> bool:
        return bool(await tried(two, 1, within=0.5))

    await until(free, within=25.0)


async def test_no_call_waits_for_a_task_that_has_ended(redis_url: str, join: Join) -> None:
    one = await join(redis_url, "one")
    assert one._task is not None
    one._task.cancel()
    await until(lambda: "restart" in one.health)
    assert len(await tried(one, 30)) == 30
